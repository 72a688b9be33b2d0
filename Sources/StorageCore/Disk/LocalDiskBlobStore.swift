import Synchronization

/// Keeps blobs as files below one directory of a local file system.
///
/// # Behavior
///
/// - A blob lies at its key's name: `store/ab/<sha256>`, or `containers/<id>/ab/<sha256>`, mode 0600.
/// - Bytes are synced before they get their name, and the folder after; a crash leaves nothing half (`O_TMPFILE`, `linkat`).
/// - A failed sync is never repeated: the bytes are given up, the call fails, and ``isSuspect`` tells operators.
/// - Nothing outside the directory is ever touched, whatever is planted inside it.
/// - Reads and writes have threads of their own, so that a disk which is slow to write can still be read.
public final class LocalDiskBlobStore: BlobStore {
    /// What may be chosen of a store on disk.
    public struct Configuration: Sendable {
        /// The bytes of the file system that uploads must leave free, so that deletions and the database still have room.
        public var reserve: Int64 = 64 << 20
        /// How many calls may block on writing and syncing at once; many, because the kernel joins syncs that wait together.
        public var writeThreads = 16
        /// How many calls may block on reading at once.
        public var readThreads = 4
        /// How many calls may wait for a thread before further ones are refused.
        public var queue = 1_024
        /// Names, or beginnings of names that end in `*`, that may lie in the directory before it is a store.
        public var neighbours = ["storaged.*", "lost+found"]
        /// Whether a directory that is missing, or that is no store yet, becomes one. Otherwise it is refused, and nothing is made
        /// or removed by opening it: for programs that work beside the one whose store it is.
        public var createsStore = true

        /// Whether the directory only takes bodies in on their way to somewhere else: ``stage(_:)``, what reads staged bytes and
        /// ``discard(_:)`` work, nothing can be published, and staged bytes are not durable. Such a directory has no `store.id`.
        package var isSpool = false

        var allowsUnnamedFiles = true
        var allowsOpenat2 = true

        /// Chooses the defaults.
        public init() {}
    }

    /// The random UUID of the store: the database remembers it, and the two must agree. A spool has none.
    public let storeID: String
    /// Whether the directory became a store just now.
    public let isNew: Bool

    let configuration: Configuration
    let directory: StoreDirectory
    let hasUnnamedFiles: Bool
    let reading: BlockingPool
    let writing: BlockingPool
    let syncs = FolderSyncs()
    let folders: KnownFolders
    let space: SpaceGauge
    private let health = Atomic<UInt8>(Health.good)

    private enum Health {
        static let good: UInt8 = 0
        static let full: UInt8 = 1
        static let failed: UInt8 = 2
    }

    /// Opens the store in a directory, which is made when it is missing.
    ///
    /// The directory's names belong to stores alone: several may be open on it at once, in one process or many, as long as they
    /// share a metadata store.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` for a directory that is not the process' own with mode 0700, a symlink, a file, or a
    ///   folder with other things in it; the cause names the directory.
    public static func open(
        directory path: String, configuration: Configuration = Configuration()
    ) async throws -> LocalDiskBlobStore {
        let reading = BlockingPool(threads: configuration.readThreads, queue: configuration.queue)
        let writing = BlockingPool(threads: configuration.writeThreads, queue: configuration.queue)
        let prepared = try await writing.run { try StorePreparation.prepare(path, configuration: configuration) }
        return LocalDiskBlobStore(prepared, configuration: configuration, reading: reading, writing: writing)
    }

    private init(
        _ prepared: StorePreparation.Prepared, configuration: Configuration, reading: BlockingPool,
        writing: BlockingPool
    ) {
        self.configuration = configuration
        self.reading = reading
        self.writing = writing
        directory = prepared.directory
        hasUnnamedFiles = prepared.hasUnnamedFiles
        storeID = prepared.storeID
        isNew = prepared.isNew
        folders = KnownFolders(durable: StorePreparation.sharedFolders)
        space = SpaceGauge(reserve: configuration.reserve)
    }

    /// Whether a sync failed: what the disk says can no longer be believed, and somebody should look at it.
    ///
    /// After a sync that failed for want of room it ends with the next one that succeeds, after any other only with the process.
    public var isSuspect: Bool { health.load(ordering: .relaxed) != Health.good }

    /// Ends the threads; what is asked of the store afterwards is refused.
    public func shutdown() async {
        await reading.shutdown()
        await writing.shutdown()
    }

    /// Runs disk work, translates its failures, and notes those that make the disk suspect.
    func translating<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as SystemCallError {
            throw error.storageError
        } catch let error as SyncError {
            noteFailedSync(error)
            throw error.failure.storageError
        }
    }

    /// Notes a sync that succeeded.
    func noteSync() {
        guard health.load(ordering: .relaxed) == Health.full else { return }
        _ = health.compareExchange(expected: Health.full, desired: Health.good, ordering: .relaxed)
    }

    private func noteFailedSync(_ error: SyncError) {
        if error.failure.isForWantOfRoom {
            _ = health.compareExchange(expected: Health.good, desired: Health.full, ordering: .relaxed)
        } else {
            health.store(Health.failed, ordering: .relaxed)
        }
    }
}
