public import NIOCore

/// Keeps the bytes of small blobs in a cache that several processes share, in front of a store that is far away.
///
/// # Behavior
///
/// - Always right: bytes from the cache count only if they have the digest that the key names, and are put there only after they were
///   found to have it.
/// - A cache that is gone, slow or wrong costs the time of one question; the store is asked then.
/// - Blobs above the size of small ones are not kept. ``info(for:)`` always asks the store.
public struct SharedCacheBlobStore: BlobStore {
    private let base: any BlobStore
    private let cache: TrustedCache
    private let lifetime: Duration

    /// Puts a shared cache in front of a store.
    ///
    /// - Parameters:
    ///   - base: The store that has all bytes.
    ///   - cache: Where copies are kept.
    ///   - lifetime: How long a copy stays there; ten minutes unless told.
    public init(_ base: any BlobStore, cache: TrustedCache, lifetime: Duration = .seconds(600)) {
        self.base = base
        self.cache = cache
        self.lifetime = lifetime
    }

    /// A part of the blob, from the cache or from the store.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        guard let name = cache.name(.blob, Array(key.name.utf8)) else { return try await base.open(key, range: range) }
        if let bytes = await cache.cache.value(for: name) {
            if bytes.readableBytes <= Int(Int64.smallBlob), try SHA256.digest(of: bytes) == key.digest {
                return BlobContent(of: bytes, range: range)
            }
            cache.refuse()
        }
        guard let content = try await base.open(key, range: range) else { return nil }
        guard content.range == 0..<content.size, content.size <= .smallBlob else { return content }
        switch content.body {
        // Local already.
        case .file: return content
        case .bytes, .stream: return try await keep(content, of: key, as: name)
        }
    }

    private func keep(_ content: BlobContent, of key: BlobKey, as name: SharedCacheKey) async throws -> BlobContent {
        let bytes: ByteBuffer
        do {
            bytes = try await content.stream.collect(upTo: Int(Int64.smallBlob))
        } catch let error as StorageError where error.code == .tooLarge {
            throw StorageError(.corrupt, "The stored bytes are more than they were.", cause: error)
        }
        // Wrong ones are for the caller to find, who knows what to do about them.
        guard bytes.readableBytes == content.size, try SHA256.digest(of: bytes) == key.digest else {
            return BlobContent(size: content.size, range: content.range, body: .bytes(bytes))
        }
        cache.cache.set(bytes, for: name, lifetime: lifetime)
        return BlobContent(of: bytes, range: nil)
    }

    /// As the store does.
    public func recall(_ key: BlobKey) -> ByteBuffer? { base.recall(key) }

    /// As the store does.
    public func stage(_ body: ByteStream) async throws -> StagedBlob { try await base.stage(body) }

    /// As the store does.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        try await base.publish(staged, as: key)
    }

    /// As the store does.
    public func discard(_ staged: StagedBlob) async { await base.discard(staged) }

    /// As the store does.
    public func info(for key: BlobKey) async throws -> BlobInfo? { try await base.info(for: key) }

    /// Forgets the bytes and has the store delete them.
    public func remove(_ key: BlobKey) async throws {
        try await remove([key])
    }

    /// Forgets the bytes and has the store delete them.
    ///
    /// A copy that the cache kept all the same is led to by no record any more, and ends with its lifetime.
    public func remove(_ keys: [BlobKey]) async throws {
        for key in keys { forget(key) }
        try await base.remove(keys)
    }

    /// As the store does.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        try await base.abandonUploads(olderThan: age)
    }

    /// Forgets the bytes, and has the store drop its copies.
    public func dropCopies(of key: BlobKey) async {
        forget(key)
        await base.dropCopies(of: key)
    }

    /// As the store does.
    public func ping() async throws { try await base.ping() }

    /// As the store does.
    public func strays(limit: Int) async throws -> [Stray] { try await base.strays(limit: limit) }

    /// As the store does.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        try await base.keys(after: key, limit: limit)
    }

    private func forget(_ key: BlobKey) {
        if let name = cache.name(.blob, Array(key.name.utf8)) { cache.cache.remove(name) }
    }
}
