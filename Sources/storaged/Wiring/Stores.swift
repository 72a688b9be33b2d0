import FoundationEssentials
import StorageCore
import StorageMigrations
import StorageSQL
import StorageSQLite

/// The database and the blob store of a daemon, opened and known to belong together.
struct Stores {
    let metadata: any MetadataStore
    let blobs: any BlobStore
    /// Given back in this order at the end.
    let close: @Sendable () async -> Void

    /// Opens both, as the configuration says, for the one `serve` of a data directory.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` when they do not belong together, or another process serves them.
    init(_ configuration: StoragedConfiguration) async throws {
        try Self.findDatabaseFolder(configuration)
        let disk = try await Self.openDisk(configuration)
        let lock = try disk.map { _ in try Self.lock(configuration) }
        let database = try Self.openDatabase(configuration)
        try await Self.bringUp(Migrator(database: database, migrations: Migration.sqlite), configuration)
        let metadata = SQLMetadataStore(database)
        if let disk { try await Self.confirm(disk, belongsTo: metadata) }
        self.metadata = metadata
        let cache = Int(configuration.blobs.memoryCache)
        if let disk, cache > 0 {
            blobs = CachedBlobStore(disk, bytes: cache)
        } else {
            blobs = disk ?? InMemoryBlobStore()
        }
        close = {
            try? await metadata.close()
            await disk?.shutdown()
            lock?.release()
        }
    }

    /// Opens both for a command that works beside the `serve` of their data directory, or without one.
    ///
    /// Takes no lock, makes nothing, brings no schema up: whatever is missing or does not fit is refused as it is.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` when they do not belong together, or are not there.
    init(beside configuration: StoragedConfiguration) async throws {
        guard let disk = try await Self.openDisk(configuration, creating: false) else {
            throw StorageError(.wrongStore, "A store in memory belongs to its daemon alone: no command can reach it.")
        }
        do {
            let database = try Self.openDatabase(configuration, creating: false)
            let metadata = SQLMetadataStore(database)
            do {
                try await Migrator(database: database, migrations: Migration.sqlite).check(cure: Self.migration)
                try Self.compare(disk, with: try await metadata.setting(Self.idSetting, default: nil))
            } catch {
                try? await metadata.close()
                throw error
            }
            self.metadata = metadata
            blobs = disk
            close = {
                try? await metadata.close()
                await disk.shutdown()
            }
        } catch {
            await disk.shutdown()
            throw error
        }
    }

    static func openDatabase(
        _ configuration: StoragedConfiguration, creating: Bool = true
    ) throws -> SQLiteDatabase {
        var options = SQLiteDatabase.Options()
        options.createsFile = creating
        // A command can wait for a daemon that is busy; its clients should not wait for a command that long.
        if !creating { options.busyTimeout = .seconds(30) }
        switch configuration.database.location {
        case .memory: return try SQLiteDatabase.inMemory(options)
        case .sqlite(let path):
            do {
                return try SQLiteDatabase.open(path: path, options)
            } catch let error as StorageError where error.code == .wrongStore {
                let cure = creating || LocalFolder.Identity(path: path) != nil ? "" : " " + Self.unused
                throw error.of(Keys.databaseURL.name, configuration, adding: cure)
            }
        }
    }

    /// Finds the data directory of a store, or makes it as `serve` does: the database lies in it.
    static func prepareDirectory(
        _ configuration: StoragedConfiguration, creating: Bool, locking: Bool
    ) async throws -> DataDirectoryLock? {
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
    private static let unused = "Commands need the data.directory of a daemon that was started at least once."
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
        let remembered = try await metadata.setting(idSetting, default: nil)
        guard remembered != nil else {
            let hasBlobs = try await !disk.keys(after: nil, limit: 1).isEmpty
            guard !hasBlobs else {
                throw StorageError(
                    .wrongStore, "The data directory holds files, but the database is new: it knows none of them.")
            }
            _ = try await metadata.setting(idSetting, default: disk.storeID)
            return
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
                "The database belongs to the store \(remembered), but the data directory is the store \(disk.storeID).")
        }
    }
}

extension StorageError {
    /// The same failure, with the setting that it is about.
    fileprivate func of(
        _ name: String, _ configuration: StoragedConfiguration, adding cure: String = ""
    ) -> StorageError {
        let value = configuration.provenance.value(named: name)
        let place = value.map { "\(name): \($0.key.shown($0.text).quotedForDisplay) (\($0.origin)): " } ?? ""
        return StorageError(code, place + message + cure, isTransient: isTransient, cause: cause)
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
