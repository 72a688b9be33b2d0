import StorageCore
import StorageMigrations
import StorageSQL
import StorageSQLite
import StorageTesting
import Testing

@Suite("MetadataStoreConformance of the SQL store on SQLite")
struct SQLMetadataStoreConformanceTests {
    @Test("in a file", arguments: MetadataStoreConformance.clauses + MetadataStoreConformance.largeClauses)
    func holdsInAFile(_ clause: MetadataStoreConformance.Clause) async throws {
        try await withTemporaryDirectory { directory in
            try await check(clause, on: try SQLiteDatabase.open(path: directory + "/storaged.sqlite"))
        }
    }

    @Test("in memory", arguments: MetadataStoreConformance.clauses)
    func holdsInMemory(_ clause: MetadataStoreConformance.Clause) async throws {
        try await check(clause, on: try SQLiteDatabase.inMemory())
    }

    private func check(_ clause: MetadataStoreConformance.Clause, on database: SQLiteDatabase) async throws {
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        try await clause.check { SQLMetadataStore(database) }
        try await database.close()
    }
}

@Suite("MetadataStoreConformance of the SQL store on Postgres", .needsPostgres)
struct PostgresMetadataStoreConformanceTests {
    @Test(arguments: MetadataStoreConformance.clauses + MetadataStoreConformance.largeClauses)
    func holds(_ clause: MetadataStoreConformance.Clause) async throws {
        try await PostgresServer.withStore { database in
            try await clause.check { SQLMetadataStore(database) }
        }
    }
}
