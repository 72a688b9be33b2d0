import StorageCore
import StorageMigrations
import StoragePostgres
import StorageSQLite

@testable import StorageSQL

/// The databases that metadata can be moved between.
enum Engine: String, Sendable, CaseIterable {
    case sqlite, postgres

    /// Those that there are here; other suites fail where Postgres is missing and should not be.
    static let available = allCases.filter { $0 == .sqlite || PostgresServer.url != nil }

    /// Every way from one to another.
    static let ways = available.flatMap { source in available.map { Way(source: source, target: $0) } }

    /// Opens one empty database as several processes do, for as long as a test runs.
    func withDatabase<Value>(
        connections: Int = 1, _ body: ([MovingDatabase]) async throws -> Value
    ) async throws -> Value {
        switch self {
        case .sqlite:
            try await withTemporaryDirectory { directory in
                var databases: [MovingDatabase] = []
                for _ in 0..<connections {
                    let database = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
                    databases.append(try MovingDatabase(database, Migration.sqlite))
                }
                return try await Self.closing(databases, body)
            }
        case .postgres:
            try await PostgresServer.withSchema { url in
                var databases: [MovingDatabase] = []
                for _ in 0..<connections {
                    let database = try await PostgresDatabase.open(url: url)
                    databases.append(try MovingDatabase(database, Migration.postgres))
                }
                return try await Self.closing(databases, body)
            }
        }
    }

    private static func closing<Value>(
        _ databases: [MovingDatabase], _ body: ([MovingDatabase]) async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await body(databases)
            for database in databases { try await database.database.close() }
            return value
        } catch {
            for database in databases { try? await database.database.close() }
            throw error
        }
    }
}

/// From one kind of database into another.
struct Way: Sendable, CustomStringConvertible {
    let source: Engine
    let target: Engine

    var description: String { "from \(source) to \(target)" }

    /// Runs a test with a source that has rows in every table, and an empty target.
    func withDatabases(
        files: Int = 20, _ body: (_ source: MovingDatabase, _ target: MovingDatabase) async throws -> Void
    ) async throws {
        try await source.withDatabase { sources in
            try await target.withDatabase { targets in
                try await sources[0].fill(files: files)
                try await body(sources[0], targets[0])
            }
        }
    }
}

/// A database, and the steps of its schema.
struct MovingDatabase: Sendable {
    let database: any SQLDatabase
    let migrator: Migrator

    init(_ database: any SQLDatabase, _ migrations: [Migration]) throws {
        self.database = database
        migrator = try Migrator(database: database, migrations: migrations)
    }

    var store: SQLMetadataStore { SQLMetadataStore(database) }

    var state: DatabaseState {
        get async throws { try await migrator.databaseState() }
    }

    /// Every row of every table but the state, by table.
    var rows: [String: Set<[SQLValue]>] {
        get async throws {
            try await database.read { session in
                var rows: [String: Set<[SQLValue]>] = [:]
                for table in StoredTable.all {
                    let columns = table.columns.joined(separator: ", ")
                    let all = try session.query("SELECT \(columns) FROM \(table.name)", []).map(\.values)
                    rows[table.name] = Set(all.filter { $0.first != .text(DatabaseState.key) })
                }
                return rows
            }
        }
    }

    func execute(_ sql: String, _ arguments: [SQLValue] = []) async throws {
        _ = try await database.write(.durable) { try $0.execute(sql, arguments) }
    }

    /// Rows in every table: of one user with so many files, each with a public link, and of one with nothing.
    func fill(files: Int) async throws {
        try await migrator.up()
        try await database.write(.durable) { session in
            func bytes(_ table: UInt8, _ number: Int) -> SQLValue {
                .bytes([table, UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number), 0, 0xFF])
            }
            for account in [1, 2] {
                try session.execute(
                    """
                    INSERT INTO accounts (id, kind, login, email, password_phc, role, serial, created_at)
                    VALUES ($1, 'registered', $2, $3, '$scrypt$x', 'user', $4, 5)
                    """, [bytes(1, account), bytes(1, account), .text("ü\"'\\%@example.org"), .integer(Int64(account))])
                try session.execute(
                    "INSERT INTO credentials (id, digest, account_id, kind, created_at) VALUES ($1, $1, $1, 'session', 5)",
                    [bytes(1, account)])
                try session.execute(
                    "INSERT INTO containers (id, account_id, space, limit_bytes) VALUES ($1, $1, $2, $3)",
                    [bytes(1, account), .bytes([]), account == 1 ? .integer(.max) : .null])
            }
            try session.execute(
                "INSERT INTO usage_deltas (id, container_id, bytes, files, revision_bytes) VALUES ($1, $1, -7, 1, 0)",
                [bytes(1, 1)])
            for number in 0..<files {
                let id = bytes(2, number)
                try session.execute(
                    """
                    INSERT INTO blobs (id, space, hash, gen, size, state, state_at)
                    VALUES ($1, $2, $1, $3, 10, 'live', 5)
                    """, [id, .bytes([]), .integer(number.isMultiple(of: 2) ? 0 : .max)])
                try session.execute(
                    """
                    INSERT INTO files (id, container_id, path, depth, type, revision_id, kind, created_at, modified_at,
                    copy_of, number, size, media_type, sent_name, revised_at, blob_id, space, hash, gen)
                    VALUES ($1, $2, $1, 1, 'file', $1, 'text', 5, 5, $1, 1, 10, 'text/plain', $3, 5, $1, $4, $1, $5)
                    """,
                    [
                        id, bytes(1, 1), number.isMultiple(of: 3) ? .null : .text(""), .bytes([]),
                        .integer(number.isMultiple(of: 2) ? 0 : .max),
                    ])
                try session.execute(
                    """
                    INSERT INTO revisions (id, file_id, container_id, number, blob_id, size, media_type, sent_name, created_at)
                    VALUES ($1, $1, $2, 1, $1, 10, 'text/plain', $3, 5)
                    """, [id, bytes(1, 1), number.isMultiple(of: 3) ? .null : .text("")])
                try session.execute(
                    "INSERT INTO links (kind, key, container_id, revision_id, created_at) VALUES ($1, $2, $3, $2, 5)",
                    [.text(number.isMultiple(of: 2) ? "hash" : "uid"), id, bytes(1, 1)])
            }
            try session.execute(
                "INSERT INTO uploads (id, container_id, started_at, heartbeat_at, committed_at) VALUES ($1, $1, 5, 5, 6)",
                [bytes(1, 1)])
            try session.execute(
                "INSERT INTO settings (key, value) VALUES ('store.id', 'one store'), ('store.name', 'é')", [])
            try session.execute("INSERT INTO audit (id, at, act) VALUES ($1, 5, 'sign_in')", [bytes(1, 1)])
        }
    }

    /// An upload that was last heard of so many microseconds ago.
    func addUpload(silentFor silence: Int64 = 0) async throws {
        try await execute(
            """
            INSERT INTO uploads (id, container_id, started_at, heartbeat_at)
            VALUES ($1, $1, \(database.dialect.now), \(database.dialect.now) - \(silence))
            """, [.bytes([9, 9])])
    }

    /// Everything that triggers are made of, and what they are on.
    var triggers: [String] {
        get async throws {
            let sql =
                database.dialect.name == "sqlite"
                ? "SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
                : """
                SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                WHERE NOT t.tgisinternal AND c.relnamespace = CAST(current_schema() AS regnamespace)
                UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = CAST(current_schema() AS regnamespace)
                """
            return try await database.read { try $0.query(sql, []).map { try $0.text(0) } }
        }
    }

    /// The kind of failure of a statement; nil when it succeeds.
    func failure(_ sql: String, _ arguments: [SQLValue] = []) async throws -> SQLError.Kind? {
        try await thrown(SQLError.self) { try await execute(sql, arguments) }?.kind
    }
}
