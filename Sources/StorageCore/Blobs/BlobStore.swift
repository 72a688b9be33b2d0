public import NIOCore

/// Keeps immutable bytes under names made of their digest.
///
/// # Behavior
///
/// - Bytes become visible only by ``publish(_:as:)``, whole, and only after they are durable.
/// - A key is written at most with one content: its digest is part of the key. A store must not change published bytes.
/// - A store never decides that bytes are not needed any more: only the collector calls ``remove(_:)-(BlobKey)``.
/// - No method may block an event loop or a thread of the cooperative pool.
/// - Every failure is a ``StorageError``; absence is a value.
public protocol BlobStore: Sendable {
    /// Takes a whole body in, makes it durable and computes its digest; nothing becomes visible.
    ///
    /// Must consume the body with bounded memory. When the body throws, everything taken in is given back and the error passes
    /// through. Must end with ``publish(_:as:)`` any number of times, then ``discard(_:)`` once.
    func stage(_ body: ByteStream) async throws -> StagedBlob

    /// Makes staged bytes visible under the key, all or nothing; doing it again is fine.
    ///
    /// On return name and bytes survive a power cut. The staged blob stays usable until it is discarded. When the key exists
    /// already with another size, throws ``StorageError/Code/blobMismatch`` and changes nothing: a key is never repaired in place.
    func publish(_ staged: StagedBlob, as key: BlobKey) async throws

    /// Gives back what a staged blob holds; never fails, also after ``publish(_:as:)``.
    func discard(_ staged: StagedBlob) async

    /// Opens a blob for reading, from the start or a part of it; nil when it is not there.
    ///
    /// A range beyond the size is cut to it; ``BlobContent/range`` is what is left of it, and exactly that is read. The content stays readable after a ``remove(_:)-(BlobKey)`` for as long as the
    /// store's kind allows: on disk until it is released, in a bucket for the collector's grace period.
    func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent?

    /// The whole blob, where its bytes are in memory and known to be right; nil says nothing. Never waits.
    ///
    /// A store in front of another passes it on, or has nothing answered from memory.
    func recall(_ key: BlobKey) -> ByteBuffer?

    /// The size of a blob; nil when it is not there.
    func info(for key: BlobKey) async throws -> BlobInfo?

    /// Deletes a blob; one that is not there is fine. On return the deletion is durable.
    func remove(_ key: BlobKey) async throws

    /// Deletes many blobs at the price of as few syncs or requests as the store can; as ``remove(_:)`` for each.
    func remove(_ keys: [BlobKey]) async throws

    /// Gives back what uploads into the store have left there that began longer ago than this, and that nobody will end: parts of
    /// bodies that never became blobs. Returns how many there were.
    ///
    /// An upload under way that is hit by it begins anew; with an age of zero that may be any.
    @discardableResult
    func abandonUploads(olderThan age: Duration) async throws -> Int

    /// Drops every copy of a blob that a layer in front of the store holds, so that the next read comes from where the bytes really
    /// lie: for somebody who found them wrong. A store in front of another passes it on.
    func dropCopies(of key: BlobKey) async

    /// Answers once the store was asked whether it is there: what a health check costs must not grow with the store.
    func ping() async throws

    /// At most `limit` keys after the given one, in the order of their names; empty at the end.
    ///
    /// Names of an unknown form are left out.
    func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey]

    /// At most `limit` of the things that lie where only blobs may, and are none; in no particular order. Must not change them.
    func strays(limit: Int) async throws -> [Stray]
}

extension BlobStore {
    /// Keeps nothing in memory.
    public func recall(_ key: BlobKey) -> ByteBuffer? { nil }

    /// Has nothing to give back.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int { 0 }

    /// Has no copies.
    public func dropCopies(of key: BlobKey) async {}

    /// Deletes one after the other.
    public func remove(_ keys: [BlobKey]) async throws {
        for key in keys { try await remove(key) }
    }
}
