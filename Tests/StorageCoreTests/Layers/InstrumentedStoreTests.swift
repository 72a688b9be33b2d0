import Metrics
import NIOCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageCore

@Suite("Stores whose calls are measured")
struct InstrumentedStoreTests {
    /// Counts what handlers are told, by their labels.
    private final class Tally: MetricsFactory {
        let counts = Mutex<[String: Int]>([:])

        func count(_ name: String) -> Int { counts.withLock { $0[name] ?? 0 } }

        private final class Handler: CounterHandler, RecorderHandler, TimerHandler {
            let name: String
            let tally: Tally

            init(_ name: String, _ tally: Tally) {
                self.name = name
                self.tally = tally
            }

            func add() { tally.counts.withLock { $0[name, default: 0] += 1 } }
            func increment(by: Int64) { add() }
            func reset() {}
            func record(_ value: Int64) { add() }
            func record(_ value: Double) { add() }
            func recordNanoseconds(_ duration: Int64) { add() }
        }

        private func handler(_ label: String, _ dimensions: [(String, String)]) -> Handler {
            Handler(([label] + dimensions.map(\.1)).joined(separator: " "), self)
        }

        func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
            handler(label, dimensions)
        }
        func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
            handler(label, dimensions)
        }
        func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
            handler(label, dimensions)
        }
        func destroyCounter(_ handler: any CounterHandler) {}
        func destroyRecorder(_ handler: any RecorderHandler) {}
        func destroyTimer(_ handler: any TimerHandler) {}
    }

    @Test(
        "keep the contract of BlobStore",
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses)
    func blobs(_ clause: BlobStoreConformance.Clause) async throws {
        try await clause.check { InstrumentedBlobStore(InMemoryBlobStore(), store: "memory") }
    }

    @Test("keep the contract of MetadataStore", arguments: MetadataStoreConformance.clauses)
    func metadata(_ clause: MetadataStoreConformance.Clause) async throws {
        try await clause.check { InstrumentedMetadataStore(InMemoryMetadataStore(), database: "memory") }
    }

    @Test("count each call by its operation, and as a failure what the store failed at")
    func counting() async throws {
        let tally = Tally()
        let blobs = InstrumentedBlobStore(InMemoryBlobStore(), store: "memory", factory: tally)
        let staged = try await blobs.stage(ByteStream(ByteBuffer(string: "x")))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await blobs.publish(staged, as: key)
        for _ in 1...3 { _ = try await blobs.open(key, range: nil) }
        #expect(tally.count("storage_blob_operation_seconds memory stage") == 1)
        #expect(tally.count("storage_blob_operation_seconds memory publish") == 1)
        #expect(tally.count("storage_blob_operation_seconds memory open") == 3)
        #expect(tally.count("storage_blob_operation_failures_total memory open") == 0)

        let broken = ByteStream(length: 1, isReplayable: false) {
            { throw StorageError(.unavailable, "x", isTransient: true) }
        }
        await #expect(throws: StorageError.self) { try await blobs.stage(broken) }
        #expect(tally.count("storage_blob_operation_failures_total memory stage") == 1)
        #expect(tally.count("storage_blob_operation_seconds memory stage") == 2)

        // What is refused by a rule is an answer.
        let metadata = InstrumentedMetadataStore(InMemoryMetadataStore(), database: "memory", factory: tally)
        await #expect(throws: StorageError.self) {
            try await metadata.commit(.delete(.id(ContainerID(), FileID()), Precondition()))
        }
        #expect(tally.count("storage_database_operation_seconds memory commit") == 1)
        #expect(tally.count("storage_database_operation_failures_total memory commit") == 0)
    }
}
