public import NIOCore
public import ServiceLifecycle
import Synchronization

/// Keeps the blobs that are read most on local disk, in front of a store that is further away.
///
/// # Behavior
///
/// - Always right: the bytes of a key never change, and a blob becomes visible here only after its size and digest were checked.
/// - A blob is kept when it was read whole and came as a stream or in one piece, is not larger than a quarter of the capacity, and
///   ``run()`` is under way. The blobs that were not read for longest give way, before the new one comes.
/// - Readers that ask for a blob at the same time share one fetch. Each gets the bytes as they come, at its own speed; the fetch goes on
///   at the speed of the store, also when nobody reads any more.
/// - A blob that is here is answered as ``LocalDiskBlobStore`` does: large ones as an open file.
/// - When the local disk fails, is full or has other bytes than it should, the store behind is asked, from the byte on that is needed.
/// - What is kept survives a restart. Nothing in the directory is touched that does not have the name of a blob.
/// - Everything else is as the store behind does; publishing keeps nothing.
public final class HotBlobStore: BlobStore, Service {
    let base: any BlobStore
    let disk: LocalDiskBlobStore
    let fills: HotFills
    let opening = SharedWork<BlobKey, HotBlobStore.Found>()
    let log = HotLog()

    /// What came of asking the store behind for a blob that is not here.
    enum Found: Sendable {
        /// It is not there.
        case absent
        /// Whole, with the right digest.
        case bytes(ByteBuffer)
        /// On its way to the local disk.
        case file(HotFill)
        /// There, and not to be kept: everybody has to ask.
        case unshared
    }

    /// Puts a cache in front of a store.
    ///
    /// - Parameters:
    ///   - base: The store that has all bytes.
    ///   - directory: Where the cache lies: a directory of its own, which is made when it is missing, with mode 0700.
    ///   - capacity: The bytes that it may take.
    ///   - reserve: The bytes of the file system that it must leave free.
    /// - Throws: ``StorageError/Code/wrongStore`` for a directory that cannot be used.
    public static func open(
        _ base: any BlobStore, directory: String, capacity: Int64, reserve: Int64 = 64 << 20
    ) async throws -> HotBlobStore {
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.reserve = reserve
        configuration.neighbours = ["lost+found"]
        let disk = try await LocalDiskBlobStore.open(directory: directory, configuration: configuration)
        return HotBlobStore(base, disk: disk, capacity: capacity)
    }

    init(_ base: any BlobStore, disk: LocalDiskBlobStore, capacity: Int64) {
        self.base = base
        self.disk = disk
        fills = HotFills(capacity: capacity)
    }

    /// How often blobs were found here, and what they take of the disk.
    public var statistics: CacheStatistics { fills.index { $0.statistics } }

    /// Ends the threads of the local disk; every blob is read from the store behind afterwards.
    public func shutdown() async { await disk.shutdown() }

    /// As the store behind does.
    public func stage(_ body: ByteStream) async throws -> StagedBlob { try await base.stage(body) }

    /// As the store behind does.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws { try await base.publish(staged, as: key) }

    /// As the store behind does.
    public func discard(_ staged: StagedBlob) async { await base.discard(staged) }

    /// As the store behind does.
    public func recall(_ key: BlobKey) -> ByteBuffer? { base.recall(key) }

    /// As the store behind does.
    public func info(for key: BlobKey) async throws -> BlobInfo? { try await base.info(for: key) }

    /// Deletes a blob here and in the store behind.
    public func remove(_ key: BlobKey) async throws { try await remove([key]) }

    /// Deletes blobs here and in the store behind.
    ///
    /// A read that is under way may bring one back, where no record leads to it any more: it goes when room is needed.
    public func remove(_ keys: [BlobKey]) async throws {
        await drop(keys)
        try await base.remove(keys)
        // What a read that began before has brought here since.
        await drop(keys)
    }

    /// As the store behind does.
    @discardableResult
    public func abandonUploads(olderThan age: Duration) async throws -> Int {
        try await base.abandonUploads(olderThan: age)
    }

    /// Deletes the blob here, and has the store behind drop its copies.
    public func dropCopies(of key: BlobKey) async {
        await drop([key])
        await base.dropCopies(of: key)
    }

    /// Asks the store behind: without the local disk everything works.
    public func ping() async throws { try await base.ping() }

    /// As the store behind does.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        try await base.keys(after: key, limit: limit)
    }

    /// As the store behind does.
    public func strays(limit: Int) async throws -> [Stray] { try await base.strays(limit: limit) }

    /// Forgets blobs and deletes their files; one that is on its way will not stay.
    func drop(_ keys: [BlobKey]) async {
        for key in keys { fills.drop(key) }
        await delete(keys)
    }

    /// Deletes files that the index has forgotten already.
    func delete(_ keys: [BlobKey]) async {
        guard !keys.isEmpty else { return }
        do {
            try await disk.removeCopies(keys)
        } catch {
            log.failed("files of the hot cache were not deleted", error)
        }
    }
}
