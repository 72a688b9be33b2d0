import Glibc
import StorageCore
import StorageMigrations
import StoragePostgres
import StorageSQL
import StorageSQLite

/// A database of metadata that is open, and the steps of its schema: the one place that knows every kind of database.
struct MetadataDatabase: Sendable {
    let database: any SQLDatabase
    let migrator: Migrator

    /// Opens the database at a location; nothing is brought up.
    ///
    /// - Parameters:
    ///   - location: Where it is.
    ///   - creating: Whether a file that is not there is made. Otherwise this is a command, which waits longer for a daemon than the
    ///     daemon's clients should wait for a command. A server must have the database in any case.
    ///   - pool: How connections to a server are kept.
    /// - Throws: ``StorageError/Code/wrongStore`` for what cannot be used as it is, ``StorageError/Code/unavailable`` for a
    ///   server that cannot be reached.
    static func open(
        _ location: StoragedConfiguration.Database.Location, creating: Bool, pool: PostgresPool.Options = .init()
    ) async throws -> MetadataDatabase {
        var options = SQLiteDatabase.Options()
        options.createsFile = creating
        if !creating { options.busyTimeout = .seconds(30) }
        switch location {
        case .memory:
            return try MetadataDatabase(SQLiteDatabase.inMemory(options), Migration.sqlite)
        case .sqlite(let path):
            return try MetadataDatabase(SQLiteDatabase.open(path: path, options), Migration.sqlite)
        case .postgres(let url):
            return try MetadataDatabase(await PostgresDatabase.open(url: url.text, pool: pool), Migration.postgres)
        }
    }

    /// Refuses a database whose metadata were moved elsewhere, or are not all there yet.
    ///
    /// - Throws: ``StorageError/Code/wrongStore``.
    func checkUsable() async throws {
        try await migrator.databaseState().checkUsable()
    }

    private init(_ database: any SQLDatabase, _ migrations: [Migration]) throws {
        self.database = database
        migrator = try Migrator(database: database, migrations: migrations)
    }
}

extension StoragedConfiguration.Database.Location {
    /// Whether any number of processes may serve it at a time.
    var isShared: Bool {
        if case .postgres = self { true } else { false }
    }

    /// Where it is, for people: a file wherever they look from, a server without its password.
    var place: String {
        switch self {
        case .memory: "memory:"
        case .sqlite(let path): "sqlite:" + Self.absolute(path)
        case .postgres(let url): url.description
        }
    }

    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

extension PostgresPool.Options {
    /// As the configuration says.
    init(_ pool: StoragedConfiguration.Database.Pool) {
        self.init()
        size = pool.size
        maxOverflow = pool.maxOverflow
        timeout = pool.timeout
        recycle = pool.recycle ?? .zero
        prePing = pool.prePing
        useLIFO = pool.useLIFO
    }
}
