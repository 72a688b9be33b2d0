public import NIOCore

/// Two stores that are one while all blobs move from the old to the new: nothing is written to the old one any more, and what has not
/// been moved yet is read there.
///
/// # Behavior
///
/// - Bodies are taken in by, and published in, the new store alone.
/// - Reading asks the new store first and the old one when it is not there; a new store that fails is a failure.
/// - A blob is removed from both, from the old store first. One that is being copied meanwhile is the copier's to remove, which asks
///   for its row afterwards; see ``BlobCopy``.
/// - The keys are those of both, each once.
public struct FallbackBlobStore: BlobStore {
    private let new: any BlobStore
    private let old: any BlobStore

    /// Makes one store of two.
    ///
    /// - Parameters:
    ///   - new: Where everything is to lie in the end.
    ///   - old: Where what has not been moved lies.
    public init(new: any BlobStore, old: any BlobStore) {
        self.new = new
        self.old = old
    }

    /// Takes a body in, in the new store.
    public func stage(_ body: ByteStream) async throws -> StagedBlob { try await new.stage(body) }

    /// Makes staged bytes visible in the new store.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws { try await new.publish(staged, as: key) }

    /// Gives back what a staged blob holds.
    public func discard(_ staged: StagedBlob) async { await new.discard(staged) }

    /// Opens a blob in the new store, or in the old one.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        if let content = try await new.open(key, range: range) { return content }
        return try await old.open(key, range: range)
    }

    /// The whole blob, if either has it in memory.
    public func recall(_ key: BlobKey) -> ByteBuffer? { new.recall(key) ?? old.recall(key) }

    /// The size of a blob in the new store, or in the old one.
    public func info(for key: BlobKey) async throws -> BlobInfo? {
        if let info = try await new.info(for: key) { return info }
        return try await old.info(for: key)
    }

    /// Deletes a blob in both.
    public func remove(_ key: BlobKey) async throws { try await remove([key]) }

    /// Deletes many blobs in both.
    public func remove(_ keys: [BlobKey]) async throws {
        try await old.remove(keys)
        try await new.remove(keys)
    }

    /// Gives back what uploads into either have left there.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        try await new.abandonUploads(olderThan: age) + old.abandonUploads(olderThan: age)
    }

    /// Has both drop their copies.
    public func dropCopies(of key: BlobKey) async {
        await new.dropCopies(of: key)
        await old.dropCopies(of: key)
    }

    /// Asks both.
    public func ping() async throws {
        try await new.ping()
        try await old.ping()
    }

    /// At most `limit` of the keys of both.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        let newer = try await new.keys(after: key, limit: limit)
        let older = try await old.keys(after: key, limit: limit)
        guard !newer.isEmpty, !older.isEmpty else { return newer + older }
        return Array(Set(newer + older).sorted().prefix(max(0, limit)))
    }

    /// The strays of the new store: nobody tidies up in the old one any more.
    public func strays(limit: Int) async throws -> [Stray] { try await new.strays(limit: limit) }
}
