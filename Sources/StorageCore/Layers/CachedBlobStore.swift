public import NIOCore
import Synchronization

/// Keeps the bytes of small blobs in memory, in front of any other store.
///
/// # Behavior
///
/// - Always right: the bytes of a key never change, and are kept only after they were found to have its digest.
/// - A blob is kept when it was read whole in one piece; the one that was not read for longest gives way.
/// - What a store has lost or damaged meanwhile may still be read from here: these are the right bytes. ``info(for:)`` always asks
///   the store.
public struct CachedBlobStore: BlobStore {
    private let base: any BlobStore
    private let largest: Int
    private let kept: Kept

    /// Shared by the copies of the store.
    private final class Kept: Sendable {
        struct State {
            var blobs: LRUCache<BlobKey, ByteBuffer>
            var statistics = CacheStatistics()
        }

        let state: Mutex<State>

        init(capacity: Int) {
            state = Mutex(State(blobs: LRUCache(capacity: capacity)))
        }
    }

    /// What an entry takes beside its bytes.
    private static let overhead = 512

    /// Puts a cache in front of a store.
    ///
    /// - Parameters:
    ///   - base: The store that has all bytes.
    ///   - bytes: What the cache may take of memory; 0 keeps nothing.
    ///   - largest: The size of the largest blob that is kept, in bytes; 64 KiB unless told.
    public init(_ base: any BlobStore, bytes: Int, largest: Int? = nil) {
        self.base = base
        self.largest = largest ?? Int(Int64.smallBlob)
        kept = Kept(capacity: bytes)
    }

    /// How often blobs were found here. A blob that is not kept counts as missed when it is opened.
    public var statistics: CacheStatistics {
        kept.state.withLock { state in
            var statistics = state.statistics
            statistics.bytes = Int64(state.blobs.weight)
            return statistics
        }
    }

    /// The whole blob, if it is kept.
    public func recall(_ key: BlobKey) -> ByteBuffer? {
        kept.state.withLock { state in
            let bytes = state.blobs.value(for: key)
            if bytes != nil { state.statistics.hits &+= 1 }
            return bytes
        }
    }

    /// A part of the blob that is kept, or what the store opens.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        if let bytes = recall(key) { return BlobContent(of: bytes, range: range) }
        kept.state.withLock { $0.statistics.misses &+= 1 }
        guard let content = try await base.open(key, range: range) else { return nil }
        guard case .bytes(let bytes) = content.body, content.range == 0..<content.size, content.size <= Int64(largest),
            try SHA256.digest(of: bytes) == key.digest
        else { return content }
        // A copy of its own: what came may be a slice of something larger.
        let copy = ByteBuffer(bytes: bytes.readableBytesView)
        kept.state.withLock { $0.blobs.insert(copy, for: key, weight: copy.readableBytes + Self.overhead) }
        return BlobContent(of: copy, range: nil)
    }

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
    /// A read that is under way may bring them back into memory, where no record leads to them any more.
    public func remove(_ keys: [BlobKey]) async throws {
        kept.state.withLock { state in for key in keys { state.blobs.remove(key) } }
        try await base.remove(keys)
    }

    /// As the store does.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        try await base.abandonUploads(olderThan: age)
    }

    /// Forgets the bytes, and has the store drop its copies.
    public func dropCopies(of key: BlobKey) async {
        kept.state.withLock { $0.blobs.remove(key) }
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
}

extension BlobContent {
    /// A part of bytes that are known to be right.
    init(of whole: ByteBuffer, range: ByteRange?) {
        let size = Int64(whole.readableBytes)
        let part = range.map { $0.clamped(to: 0..<size) } ?? 0..<size
        let slice = whole.getSlice(
            at: whole.readerIndex + Int(part.lowerBound), length: Int(part.upperBound - part.lowerBound))
        self.init(size: size, range: part, body: .bytes(slice ?? ByteBuffer()), isVerified: true)
    }
}
