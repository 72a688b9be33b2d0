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
        let disk = try await Self.openDisk(configuration)
        let lock = try disk.map { _ in try DataDirectoryLock(directory: configuration.dataDirectory) }
        let database = try Self.openDatabase(configuration)
        let migrator = try Migrator(database: database, migrations: Migration.sqlite)
        switch configuration.database.migration {
        case .auto: try await migrator.up()
        case .check: try await migrator.check()
        case .off: break
        }
        let metadata = SQLMetadataStore(database)
        if let disk { try await Self.confirm(disk, belongsTo: metadata) }
        self.metadata = metadata
        blobs = disk ?? InMemoryBlobStore()
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
                try await Migrator(database: database, migrations: Migration.sqlite).check()
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
        return switch configuration.database.location {
        case .memory: try SQLiteDatabase.inMemory(options)
        case .sqlite(let path): try SQLiteDatabase.open(path: path, options)
        }
    }

    /// Makes the data directory, or refuses one that is not ours, as `serve` does: the database lies in it.
    static func prepareDirectory(
        _ configuration: StoragedConfiguration, locking: Bool
    ) async throws -> DataDirectoryLock? {
        guard let disk = try await openDisk(configuration) else { return nil }
        await disk.shutdown()
        return locking ? try DataDirectoryLock(directory: configuration.dataDirectory) : nil
    }

    private static func openDisk(
        _ configuration: StoragedConfiguration, creating: Bool = true
    ) async throws -> LocalDiskBlobStore? {
        guard configuration.blobs.store == .disk else { return nil }
        var settings = LocalDiskBlobStore.Configuration()
        settings.reserve = configuration.upkeep.reserve
        settings.createsStore = creating
        return try await LocalDiskBlobStore.open(directory: configuration.dataDirectory, configuration: settings)
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
