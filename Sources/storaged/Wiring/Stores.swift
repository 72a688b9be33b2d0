import FoundationEssentials
import StorageCore
import StorageSQL
import StorageSQLite

/// The database and the blob store of a daemon, opened and known to belong together.
struct Stores {
    let metadata: any MetadataStore
    let blobs: any BlobStore
    private let parts: Parts

    /// What is open, each to be given back.
    private struct Parts {
        var database: MetadataDatabase?
        var disk: LocalDiskBlobStore?
        var lock: DataDirectoryLock?

        func close() async {
            try? await database?.database.close()
            await disk?.shutdown()
            lock?.release()
        }
    }

    /// Opens both, as the configuration says, to serve them: a data directory with SQLite alone, with PostgreSQL beside others.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` when they do not belong together, or another process serves what only one can;
    ///   ``StorageError/Code/unavailable`` when a database server stays out of reach for 30 s.
    init(_ configuration: StoragedConfiguration) async throws {
        var parts = Parts()
        do {
            try await self.init(serving: configuration, &parts)
        } catch {
            await parts.close()
            throw error
        }
    }

    /// Opens both for a command that works beside the daemons of their data directory, or without one.
    ///
    /// Takes no lock, makes nothing, brings no schema up: whatever is missing or does not fit is refused as it is.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` when they do not belong together, or are not there;
    ///   ``StorageError/Code/unavailable`` when a database server cannot be reached.
    init(beside configuration: StoragedConfiguration) async throws {
        var parts = Parts()
        do {
            try await self.init(beside: configuration, &parts)
        } catch {
            await parts.close()
            throw error
        }
    }

    /// Gives everything back; whatever uses the stores must have ended.
    func close() async {
        await parts.close()
    }

    private init(serving configuration: StoragedConfiguration, _ parts: inout Parts) async throws {
        let opened: MetadataDatabase
        if configuration.database.location.isShared {
            // Asked first: a password that is wrong should leave nothing behind.
            opened = try await Self.openDatabase(configuration, patience: .seconds(30))
            parts.database = opened
            parts.disk = try await Self.openDisk(configuration)
        } else {
            try Self.findDatabaseFolder(configuration)
            parts.disk = try await Self.openDisk(configuration)
            parts.lock = try parts.disk.map { _ in try Self.lock(configuration) }
            opened = try await Self.openDatabase(configuration)
            parts.database = opened
        }
        try await Self.bringUp(opened.migrator, configuration)
        let metadata = SQLMetadataStore(opened.database)
        if let disk = parts.disk { try await Self.confirm(disk, belongsTo: metadata) }
        self.metadata = metadata
        let cache = Int(configuration.blobs.memoryCache)
        if let disk = parts.disk, cache > 0 {
            blobs = CachedBlobStore(disk, bytes: cache)
        } else {
            blobs = parts.disk ?? InMemoryBlobStore()
        }
        self.parts = parts
    }

    private init(beside configuration: StoragedConfiguration, _ parts: inout Parts) async throws {
        guard let disk = try await Self.openDisk(configuration, creating: false) else {
            throw StorageError(.wrongStore, "A store in memory belongs to its daemon alone: no command can reach it.")
        }
        parts.disk = disk
        let opened = try await Self.openDatabase(configuration, creating: false)
        parts.database = opened
        let metadata = SQLMetadataStore(opened.database)
        try await opened.migrator.check(cure: Self.migration)
        try Self.compare(disk, with: try await metadata.setting(Self.idSetting, default: nil))
        self.metadata = metadata
        blobs = disk
        self.parts = parts
    }

    /// Locks the data directory of a database that lies in it, for a command that changes the schema; nil for a database that several
    /// processes may use at a time.
    ///
    /// - Parameters:
    ///   - configuration: Names both.
    ///   - creating: Whether the directory is made as `serve` does; otherwise it must be there.
    ///   - locking: Whether the command changes anything.
    static func prepareDirectory(
        _ configuration: StoragedConfiguration, creating: Bool, locking: Bool
    ) async throws -> DataDirectoryLock? {
        guard !configuration.database.location.isShared else { return nil }
        if creating { try findDatabaseFolder(configuration) }
        guard let disk = try await openDisk(configuration, creating: creating) else {
            throw StorageError(
                .wrongStore, "A database in memory belongs to its daemon alone: no command can reach it.")
        }
        await disk.shutdown()
        return locking ? try lock(configuration) : nil
    }

    private static func lock(_ configuration: StoragedConfiguration) throws -> DataDirectoryLock {
        do {
            return try DataDirectoryLock(directory: configuration.dataDirectory)
        } catch let error as StorageError {
            throw error.of(Keys.dataDirectory.name, configuration)
        }
    }

    private static func openDisk(
        _ configuration: StoragedConfiguration, creating: Bool = true
    ) async throws -> LocalDiskBlobStore? {
        guard configuration.blobs.store == .disk else { return nil }
        var settings = LocalDiskBlobStore.Configuration()
        settings.reserve = configuration.upkeep.reserve
        settings.createsStore = creating
        do {
            return try await LocalDiskBlobStore.open(directory: configuration.dataDirectory, configuration: settings)
        } catch let error as StorageError {
            let isUnused = LocalFolder.Identity(path: configuration.dataDirectory + "/store.id") == nil
            throw error.of(Keys.dataDirectory.name, configuration, adding: !creating && isUnused ? " " + unused : "")
        }
    }

    /// What is to be done where a command finds nothing.
    static let unused = "Commands need the data.directory of a daemon that was started at least once."
    private static let migration = "Run storaged migrate up."

    /// Refuses a database in a folder that is not there, before anything is made; the data directory itself will be made.
    private static func findDatabaseFolder(_ configuration: StoragedConfiguration) throws {
        guard case .sqlite(let path) = configuration.database.location else { return }
        let folder = path.folderPart
        guard folder != (configuration.dataDirectory + "/").folderPart, LocalFolder.Identity(path: folder) == nil else {
            return
        }
        throw StorageError(.wrongStore, "The folder of the database file is not there: make it, or give another path.")
            .of(Keys.databaseURL.name, configuration)
    }

    private static func bringUp(_ migrator: Migrator, _ configuration: StoragedConfiguration) async throws {
        do {
            switch configuration.database.migration {
            case .auto: try await migrator.up()
            case .check: try await migrator.check(cure: migration)
            case .off:
                guard try await migrator.status().contains(where: { $0.appliedAt != nil }) else {
                    throw StorageError(
                        .wrongStore, "The database has no tables yet, and none may be made. \(migration)")
                }
            }
        } catch let error as StorageError where error.code == .wrongStore && configuration.database.migration != .auto {
            throw error.of(Keys.databaseMigrate.name, configuration)
        }
    }

    /// The store's own id and the one that the database remembers must agree: a wrong volume would look like lost files, and what
    /// is then uploaded or collected would harm both.
    private static func confirm(_ disk: LocalDiskBlobStore, belongsTo metadata: some MetadataStore) async throws {
        var remembered = try await metadata.setting(idSetting, default: nil)
        if remembered == nil {
            let hasBlobs = try await !disk.keys(after: nil, limit: 1).isEmpty
            // Another process that starts at this moment may have been faster: what it remembers counts.
            remembered = try await metadata.setting(idSetting, default: hasBlobs ? nil : disk.storeID)
            guard remembered != nil else {
                throw StorageError(
                    .wrongStore, "The data directory holds files, but the database is new: it knows none of them.")
            }
        }
        try compare(disk, with: remembered)
    }

    private static let idSetting = "store.id"

    private static func compare(_ disk: LocalDiskBlobStore, with remembered: String?) throws {
        guard let remembered else {
            throw StorageError(.wrongStore, "The database knows no store yet: no daemon has used it.")
        }
        guard remembered == disk.storeID else {
            throw StorageError(
                .wrongStore,
                "The database belongs to the store \(remembered), but the data directory is the store \(disk.storeID)."
                    + " Everybody who uses this database needs the data.directory that it began with.")
        }
    }
}

extension String {
    /// Everything before the last slash, without `./` and superfluous slashes; `.` where there is none.
    fileprivate var folderPart: String {
        let parts = utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropLast()
            .filter { !$0.isEmpty && !$0.elementsEqual(".".utf8) }.map { String(Substring($0)) }
        let start = utf8.first == UInt8(ascii: "/") ? "/" : ""
        return parts.isEmpty ? (start.isEmpty ? "." : start) : start + parts.joined(separator: "/")
    }
}
