import StorageMigrations
import StorageSQL
import StorageSQLite
import Testing

/// One implementation runs on both schemas: they have the same tables, columns, defaults, keys and indexes.
@Suite("The schemas for SQLite and for Postgres", .needsPostgres)
struct SchemasAgreeTests {
    @Test("have the same columns after each step, with types that hold the same values")
    func columns() async throws {
        try await PostgresServer.withDatabase { postgres in
            let sqlite = try SQLiteDatabase.inMemory()
            let migrators = (
                try Migrator(database: sqlite, migrations: Migration.sqlite),
                try Migrator(database: postgres, migrations: Migration.postgres)
            )
            #expect(Migration.sqlite.map(\.name) == Migration.postgres.map(\.name))
            for number in 1...Migration.sqlite.count {
                try await migrators.0.up(to: number)
                try await migrators.1.up(to: number)
                let ours = try await Self.texts(sqlite, Self.sqliteColumns)
                let theirs = try await Self.texts(postgres, Self.postgresColumns)
                #expect(ours == theirs)
                #expect(ours.count > 70)
            }
            try await sqlite.close()
        }
    }

    @Test("have the same indexes")
    func indexes() async throws {
        try await PostgresServer.withStore { postgres in
            let sqlite = try SQLiteDatabase.inMemory()
            try await Migrator(database: sqlite, migrations: Migration.sqlite).up()
            let ours = try await Self.texts(
                sqlite, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
            let theirs = try await Self.texts(postgres, Self.postgresIndexes)
            #expect(ours == theirs)
            try await sqlite.close()
        }
    }

    @Test("go up, down and up again on Postgres as well")
    func upAndDown() async throws {
        try await PostgresServer.withDatabase { postgres in
            let migrator = try Migrator(database: postgres, migrations: Migration.postgres)
            for number in 1...Migration.postgres.count {
                let before = try await Self.schema(postgres)
                try await migrator.up(to: number)
                let first = try await Self.schema(postgres)
                let undone = try await migrator.down(to: number - 1)
                let down = try await Self.schema(postgres)
                try await migrator.up(to: number)
                let second = try await Self.schema(postgres)
                #expect(undone == [number])
                #expect(down == before || number == 1 && down.isEmpty)
                #expect(first == second)
                #expect(first != down)
            }
            try await migrator.check()
        }
    }

    @Test("are made once by migrators that start at the same time")
    func simultaneousMigrators() async throws {
        try await PostgresServer.withDatabase { postgres in
            let taken = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<8 {
                    group.addTask { try await Migrator(database: postgres, migrations: Migration.postgres).up() }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.sorted() == Array(1...Migration.postgres.count))
        }
    }

    @Test("change beside others: a step waits for a table, but nobody waits behind it")
    func tableInUse() async throws {
        try await PostgresServer.withDatabase { postgres in
            let migrator = try Migrator(database: postgres, migrations: Migration.postgres)
            try await migrator.up(to: 2)
            let count = "SELECT COUNT(*) FROM files"
            let gate = Gate()
            // What a dump does: it has the tables in use until it ends.
            async let dump = postgres.write(.relaxed) { session in
                let rows = try session.query(count, [])
                gate.pass()
                return rows.count
            }
            await gate.isReached()
            async let taken = migrator.up()
            // For longer than a session waits for a lock.
            let end = ContinuousClock.now + .seconds(4)
            var refused = 0
            while ContinuousClock.now < end {
                if case nil = try? await postgres.write(.relaxed, { try $0.query(count, []).count }) { refused += 1 }
            }
            gate.open()
            let (dumped, steps) = try await (dump, taken)
            #expect(dumped == 1)
            #expect(refused == 0)
            #expect(steps == [3, 4, 5])
        }
    }

    private static func schema(_ postgres: some SQLDatabase) async throws -> [String] {
        try await texts(postgres, postgresColumns) + texts(postgres, postgresIndexes)
    }

    private static let postgresIndexes = """
        SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%\\_pkey'
        AND indexname NOT LIKE '%\\_key' ORDER BY CAST(indexname AS TEXT) COLLATE "C"
        """

    /// Table, column, type, whether NULL may be, default.
    private static let sqliteColumns = """
        SELECT m.name || '.' || c.name || ' ' ||
            CASE c.type WHEN 'BLOB' THEN 'bytea' WHEN 'INTEGER' THEN 'bigint' ELSE lower(c.type) END ||
            CASE c."notnull" WHEN 1 THEN ' not null' ELSE '' END || ' ' || COALESCE(c.dflt_value, '')
        FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'migrations' ORDER BY 1
        """

    private static let postgresColumns = """
        SELECT line FROM (SELECT table_name || '.' || column_name || ' ' || data_type ||
            CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || ' ' ||
            COALESCE(REPLACE(REPLACE(column_default, '''', ''), '::bigint', ''), '') AS line
        FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'migrations') lines
        ORDER BY line COLLATE "C"
        """

    private static func texts(_ database: some SQLDatabase, _ query: String) async throws -> [String] {
        try await database.read { session in try session.query(query, []).map { try $0.text(0) } }
    }
}
