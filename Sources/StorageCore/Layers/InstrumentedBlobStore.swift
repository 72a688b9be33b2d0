public import Metrics
public import NIOCore

/// Measures the calls of any other store; everything is as the store does it.
///
/// Counts `storage_blob_operation_seconds` and `storage_blob_operation_failures_total` by store and operation, through swift-metrics. The time
/// of a read is that of opening: reading goes at the speed of whoever reads. What a store has in memory is handed over unmeasured.
public struct InstrumentedBlobStore: BlobStore {
    private let base: any BlobStore
    private let meters: Meters

    private final class Meters: Sendable {
        let stage, publish, discard, open, info, remove, abandon, ping, keys, strays: OperationMeter

        init(_ store: String, _ factory: any MetricsFactory) {
            func meter(_ operation: String) -> OperationMeter {
                OperationMeter("storage_blob_operation", [("store", store), ("operation", operation)], factory)
            }
            stage = meter("stage")
            publish = meter("publish")
            discard = meter("discard")
            open = meter("open")
            info = meter("info")
            remove = meter("remove")
            abandon = meter("abandon_uploads")
            ping = meter("ping")
            keys = meter("keys")
            strays = meter("strays")
        }
    }

    /// Measures a store.
    ///
    /// - Parameters:
    ///   - base: The store.
    ///   - store: What it is called in the labels: one of few words.
    ///   - factory: Where it is counted.
    public init(_ base: any BlobStore, store: String, factory: any MetricsFactory = MetricsSystem.factory) {
        self.base = base
        meters = Meters(store, factory)
    }

    /// As the store does; the time includes that in which the body comes in.
    public func stage(_ body: ByteStream) async throws -> StagedBlob {
        try await meters.stage.measure { try await base.stage(body) }
    }

    /// As the store does.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        try await meters.publish.measure { try await base.publish(staged, as: key) }
    }

    /// As the store does.
    public func discard(_ staged: StagedBlob) async {
        try? await meters.discard.measure { await base.discard(staged) }
    }

    /// As the store does.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        try await meters.open.measure { try await base.open(key, range: range) }
    }

    /// As the store does.
    public func recall(_ key: BlobKey) -> ByteBuffer? { base.recall(key) }

    /// As the store does.
    public func info(for key: BlobKey) async throws -> BlobInfo? {
        try await meters.info.measure { try await base.info(for: key) }
    }

    /// As the store does.
    public func remove(_ key: BlobKey) async throws {
        try await meters.remove.measure { try await base.remove(key) }
    }

    /// As the store does; one call, however many blobs there are.
    public func remove(_ keys: [BlobKey]) async throws {
        try await meters.remove.measure { try await base.remove(keys) }
    }

    /// As the store does.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        try await meters.abandon.measure { try await base.abandonUploads(olderThan: age) }
    }

    /// As the store does.
    public func dropCopies(of key: BlobKey) async { await base.dropCopies(of: key) }

    /// As the store does.
    public func ping() async throws {
        try await meters.ping.measure { try await base.ping() }
    }

    /// As the store does.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        try await meters.keys.measure { try await base.keys(after: key, limit: limit) }
    }

    /// As the store does.
    public func strays(limit: Int) async throws -> [Stray] {
        try await meters.strays.measure { try await base.strays(limit: limit) }
    }
}
