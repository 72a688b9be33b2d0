import StorageMigrations
import StoragePostgres
import StorageSQLite
import Testing

@testable import StorageSQL

/// What is copied is everything that there is.
@Suite struct StoredTableTests {
    private func migrated() async throws -> SQLiteDatabase {
        let database = try SQLiteDatabase.inMemory()
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        return database
    }

    @Test func theListIsTheSchema() async throws {
        let database = try await migrated()
        let schema = try await database.read { session in
            try session.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migrations'", []).map {
                try $0.text(0)
            }.map { table in
                let columns = try session.query("SELECT name, pk FROM pragma_table_info('\(table)') ORDER BY cid", [])
                let key = try columns.filter { try $0.integer(1) > 0 }
                    .sorted { try $0.integer(1) < $1.integer(1) }.map { try $0.text(0) }
                return "\(table): \(try columns.map { try $0.text(0) }) by \(key)"
            }.sorted()
        }
        #expect(schema == StoredTable.all.map { "\($0.name): \($0.columns) by \($0.key)" }.sorted())
        try await database.close()
    }

    @Test(.needsPostgres) func theListIsTheSchemaOfPostgresToo() async throws {
        let columns = try await PostgresServer.withStore { database in
            try await database.read { session in
                try session.query(
                    """
                    SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) FROM pg_attribute a
                    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> 'migrations'
                    AND a.attnum > 0 AND NOT a.attisdropped
                    """, []
                ).map { "\(try $0.text(0)).\(try $0.text(1))" }
            }
        }
        #expect(Set(columns) == Set(StoredTable.all.flatMap { table in table.columns.map { "\(table.name).\($0)" } }))
    }

    @Test func everyTableComesAfterThoseThatItRefersTo() async throws {
        let database = try await migrated()
        let names = StoredTable.all.map(\.name)
        let references = try await database.read { session in
            try names.map { table in
                let keys = try session.query("SELECT \"table\" FROM pragma_foreign_key_list('\(table)')", [])
                return try keys.map { try $0.text(0) }
            }
        }
        for (index, targets) in references.enumerated() {
            #expect(Set(targets).isSubset(of: names[..<index]), "\(names[index])")
        }
        #expect(references.joined().count >= 6)
        try await database.close()
    }

    @Test func aPageIsFewEnoughForTheParametersOfOneStatement() {
        for table in StoredTable.all {
            #expect(table.columns.count * StoredTable.page < 32_766, "SQLite takes no more.")
        }
    }

    @Test func aDifferenceIsNamedByItsKeyAndOrderIsNone() throws {
        let table = try #require(StoredTable.all.first { $0.name == "settings" })
        func rows(_ texts: [(String, String)]) -> [SQLRow] { texts.map { SQLRow([.text($0.0), .text($0.1)]) } }
        let one = rows([("a", "1"), ("b", "2")])
        #expect(table.difference(one, rows([("b", "2"), ("a", "1")])) == nil)
        #expect(table.difference(one, rows([("a", "1"), ("b", "3")])) == "'b'")
        #expect(table.difference(one, rows([("a", "1")])) == "'b'")
        #expect(table.difference(one, rows([("a", "1"), ("b", "2"), ("c", "3")])) == "'c'")
        #expect(table.difference([], []) == nil)
    }
}
