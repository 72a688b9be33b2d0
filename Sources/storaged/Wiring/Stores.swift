import FoundationEssentials
import ServiceLifecycle
import StorageCore
import StorageHTTP
import StorageSQL
import StorageSQLite

/// The database and the blob store of a daemon, opened and known to belong together.
struct Stores {
    let metadata: any MetadataStore
    let blobs: any BlobStore
    /// What several processes share beside them; nil where nothing is.
    let cache: TrustedCache?
    /// What has to run for as long as they are served.
    let services: [any Service]
    private let parts: OpenParts

    /// Opens both, as the configuration says, to serve them: with SQLite alone, with PostgreSQL beside others.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` when they do not belong together, or another process serves what only one can;
    ///   ``StorageError/Code/unavailable`` when a database server or a bucket stays out of reach for 30 s.
    init(_ configuration: StoragedConfiguration) async throws {
        var parts = OpenParts()
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
    ///   ``StorageError/Code/unavailable`` when a database server or a bucket cannot be reached.
    init(beside configuration: StoragedConfiguration) async throws {
        var parts = OpenParts()
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

    /// Adds how busy the database is, and what the caches have done.
    func sample(_ samples: inout MetricSamples) {
        if let load = parts.database?.database.load {
            if let connections = load.connections {
                samples.gauge("storage_database_connections", connections.inUse, [("state", "in_use")])
                samples.gauge("storage_database_connections", connections.idle, [("state", "idle")])
            }
            samples.gauge("storage_database_waiting", load.waiting)
            samples.count("storage_database_wait_timeouts_total", load.timeouts)
        }
        let caches = [
            ("memory", parts.memoryCache?.statistics), ("hot", parts.hotCache?.statistics),
            ("records", parts.records?.recordStatistics),
        ]
        for case (let name, let statistics?) in caches {
            samples.count("storage_cache_hits_total", statistics.hits, [("cache", name)])
            samples.count("storage_cache_misses_total", statistics.misses, [("cache", name)])
            if let bytes = statistics.bytes { samples.gauge("storage_cache_bytes", bytes, [("cache", name)]) }
        }
    }

    private init(serving configuration: StoragedConfiguration, _ parts: inout OpenParts) async throws {
        let opened: MetadataDatabase
        let places: BlobStores?
        if configuration.database.location.isShared {
            // Asked first: a password that is wrong should leave nothing behind.
            opened = try await Self.openDatabase(configuration, patience: .start)
            parts.database = opened
            places = try await BlobStores(
                configuration, creatingAfter: try await Self.history(of: opened), patience: .start, &parts)
            // What was copied out of a bucket is one process's.
            if configuration.blobs.hasHotCache {
                parts.locks = [try Self.lock(configuration.dataDirectory, Keys.blobsHotCache.name, configuration)]
            }
        } else {
            try Self.findDatabaseFolder(configuration)
            let known = try await Self.knownHistory(configuration)
            places = try await BlobStores(configuration, creatingAfter: known, patience: .start, &parts)
            if places != nil { parts.locks = try Self.lock(configuration) }
            opened = try await Self.openDatabase(configuration)
            parts.database = opened
        }
        try await Self.bringUp(opened.migrator, configuration)
        let metadata = SQLMetadataStore(opened.database)
        parts.records = metadata
        self.metadata = InstrumentedMetadataStore(metadata, database: opened.database.dialect.name)
        cache = try await configuration.openCache(metadata, &parts)
        if let places {
            let history = try await places.store.confirm(inFrontOf: places.fallback, belongsTo: metadata)
            let (composed, services) = try await places.composed(configuration, cache, &parts)
            (blobs, self.services) = (composed, services + [StoreWatch(history, in: metadata)])
        } else {
            (blobs, services) = (InstrumentedBlobStore(InMemoryBlobStore(), store: "memory"), [])
        }
        self.parts = parts
    }

    private init(beside configuration: StoragedConfiguration, _ parts: inout OpenParts) async throws {
        guard let places = try await BlobStores(configuration, creatingAfter: nil, patience: .none, &parts) else {
            throw StorageError(.wrongStore, "A store in memory belongs to its daemon alone: no command can reach it.")
        }
        let opened = try await Self.openDatabase(configuration, creating: false)
        parts.database = opened
        let metadata = SQLMetadataStore(opened.database)
        try await opened.migrator.check(cure: Self.migration)
        try await places.store.check(inFrontOf: places.fallback, belongsTo: metadata)
        self.metadata = metadata
        blobs = places.joined(places.store.store)
        cache = nil
        services = []
        self.parts = parts
    }

    /// Locks the data directory of a database that lies in it, for a command that changes the schema; nothing for one that several
    /// processes may use at a time.
    ///
    /// - Parameters:
    ///   - configuration: Names both.
    ///   - creating: Whether the directory is made as `serve` does; otherwise it must be there.
    ///   - locking: Whether the command changes anything.
    static func prepareDirectory(
        _ configuration: StoragedConfiguration, creating: Bool, locking: Bool
    ) async throws -> [DataDirectoryLock] {
        guard !configuration.database.location.isShared else { return [] }
        if creating { try findDatabaseFolder(configuration) }
        guard configuration.blobs.store != .memory else {
            throw StorageError(
                .wrongStore, "A database in memory belongs to its daemon alone: no command can reach it.")
        }
        try await BlobStores.findDataDirectory(configuration, creating: creating)
        return locking ? try lock(configuration) : []
    }

    /// Locks the data directory, and the one that blobs are moved out of, where it is another.
    static func lock(_ configuration: StoragedConfiguration) throws -> [DataDirectoryLock] {
        let directory = configuration.dataDirectory
        let own = try lock(directory, Keys.dataDirectory.name, configuration)
        guard case .disk(let old?) = configuration.blobs.fallback,
            LocalFolder.Identity(path: old) != LocalFolder.Identity(path: directory)
        else { return [own] }
        return [own, try lock(old, Keys.blobsFallback.name, configuration)]
    }

    private static func lock(
        _ directory: String, _ setting: String, _ configuration: StoragedConfiguration
    ) throws -> DataDirectoryLock {
        do {
            return try DataDirectoryLock(directory: directory)
        } catch let error as StorageError {
            throw error.of(setting, configuration)
        }
    }

    /// What the database file knows of stores, before anything is made; nothing where it is not there.
    private static func knownHistory(_ configuration: StoragedConfiguration) async throws -> StoreHistory {
        guard case .sqlite = configuration.database.location, isThere(configuration.database.location) else {
            return StoreHistory()
        }
        let opened = try await openDatabase(configuration, creating: false)
        do {
            let history = try await history(of: opened)
            try await opened.database.close()
            return history
        } catch {
            try? await opened.database.close()
            throw error
        }
    }

    /// What a database knows of stores; nothing while it has no tables.
    private static func history(of opened: MetadataDatabase) async throws -> StoreHistory {
        guard try await opened.migrator.status().contains(where: { $0.appliedAt != nil }) else { return StoreHistory() }
        return try await StoreHistory(of: SQLMetadataStore(opened.database))
    }

    /// What is to be done where a command finds nothing.
    static let unused = "Commands need the data.directory of a daemon that was started at least once."
    static let migration = "Run storaged migrate up."

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
