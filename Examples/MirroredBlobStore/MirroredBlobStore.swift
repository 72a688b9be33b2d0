public import StorageCore

/// Keeps every blob in several stores, such as directories on different disks: what one has lost, the next one still has.
///
/// # Behavior
///
/// - A blob is published when all stores hold it durably: while one of them fails, nothing new is stored.
/// - Reading asks one store after the other: one that fails, or has lost the blob, is passed over.
/// - A blob is absent only when every store says so; that a store could not be asked is a failure.
/// - What one store could not remove, the collector asks for again.
/// - A store that comes back empty is filled by copying the directory of another one, before anything uses it.
public struct MirroredBlobStore: BlobStore {
    private let first: any BlobStore
    private let others: [any BlobStore]
    private var all: [any BlobStore] { [first] + others }

    /// Unites stores that hold the same blobs.
    ///
    /// - Parameters:
    ///   - first: Takes bodies in, and is read from as long as it can be.
    ///   - others: Get copies of what the first one took in.
    public init(_ first: any BlobStore, _ others: any BlobStore...) {
        self.first = first
        self.others = others
    }

    /// Takes a body in, in the first store: a body may come only once, but bytes that are stored can be read again.
    public func stage(_ body: ByteStream) async throws -> StagedBlob {
        try await first.stage(body)
    }

    /// Makes staged bytes visible everywhere.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        try await first.publish(staged, as: key)
        for store in others { try await copy(key, of: staged, into: store) }
    }

    /// Gives back what a staged blob holds.
    public func discard(_ staged: StagedBlob) async {
        await first.discard(staged)
    }

    /// Opens a blob in the first store that has it.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        try await firstAnswer { try await $0.open(key, range: range) }
    }

    /// The size of a blob, from the first store that has it.
    public func info(for key: BlobKey) async throws -> BlobInfo? {
        try await firstAnswer { try await $0.info(for: key) }
    }

    /// Deletes a blob everywhere.
    public func remove(_ key: BlobKey) async throws {
        try await remove([key])
    }

    /// Deletes many blobs everywhere.
    public func remove(_ keys: [BlobKey]) async throws {
        for store in all { try await store.remove(keys) }
    }

    /// Gives back what uploads have left in any of the stores.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        var count = 0
        for store in all { count += try await store.abandonUploads(olderThan: age) }
        return count
    }

    /// Has every store drop its copies of a blob.
    public func dropCopies(of key: BlobKey) async {
        for store in all { await store.dropCopies(of: key) }
    }

    /// Answers when every store does.
    public func ping() async throws {
        for store in all { try await store.ping() }
    }

    /// The keys that any of the stores has.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        var found: Set<BlobKey> = []
        for store in all { found.formUnion(try await store.keys(after: key, limit: limit)) }
        return Array(found.sorted().prefix(limit))
    }

    /// What lies in any of the stores and is no blob.
    public func strays(limit: Int) async throws -> [Stray] {
        var found: Set<Stray> = []
        for store in all { found.formUnion(try await store.strays(limit: limit)) }
        return Array(found.prefix(limit))
    }

    private func copy(_ key: BlobKey, of staged: StagedBlob, into store: any BlobStore) async throws {
        guard let content = try await first.open(key, range: nil) else {
            throw StorageError(.unavailable, "The blob is gone again.", isTransient: true)
        }
        let copy = try await store.stage(content.stream)
        do {
            // The key may have been there before, with damaged bytes: these are no bytes to copy.
            guard copy.digest == staged.digest else {
                throw StorageError(.blobMismatch, "The first store holds other bytes under this key.")
            }
            try await store.publish(copy, as: key)
        } catch {
            await store.discard(copy)
            throw error
        }
        await store.discard(copy)
    }

    /// The first answer that is not nil; nil only when no store has one and none failed.
    private func firstAnswer<Answer>(_ ask: (any BlobStore) async throws -> Answer?) async throws -> Answer? {
        var failure: (any Error)?
        for store in all {
            do {
                if let answer = try await ask(store) { return answer }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return nil
    }
}
