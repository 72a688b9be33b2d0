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

    static func openDatabase(_ configuration: StoragedConfiguration) throws -> SQLiteDatabase {
        switch configuration.database.location {
        case .memory: try SQLiteDatabase.inMemory()
        case .sqlite(let path): try SQLiteDatabase.open(path: path)
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

    private static func openDisk(_ configuration: StoragedConfiguration) async throws -> LocalDiskBlobStore? {
        guard configuration.blobs.store == .disk else { return nil }
        var settings = LocalDiskBlobStore.Configuration()
        settings.reserve = configuration.upkeep.reserve
        return try await LocalDiskBlobStore.open(directory: configuration.dataDirectory, configuration: settings)
    }

    /// The store's own id and the one that the database remembers must agree: a wrong volume would look like lost files, and what
    /// is then uploaded or collected would harm both.
    private static func confirm(_ disk: LocalDiskBlobStore, belongsTo metadata: some MetadataStore) async throws {
        let name = "store.id"
        let remembered = try await metadata.setting(name, default: nil)
        guard let remembered else {
            let hasBlobs = try await !disk.keys(after: nil, limit: 1).isEmpty
            guard !hasBlobs else {
                throw StorageError(
                    .wrongStore, "The data directory holds files, but the database is new: it knows none of them.")
            }
            _ = try await metadata.setting(name, default: disk.storeID)
            return
        }
        guard remembered == disk.storeID else {
            throw StorageError(
                .wrongStore,
                "The database belongs to the store \(remembered), but the data directory is the store \(disk.storeID).")
        }
    }
}
