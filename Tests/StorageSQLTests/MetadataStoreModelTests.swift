import StorageCore
import StorageMigrations
import StorageSQL
import StorageSQLite
import StorageTesting
import Testing

@Suite("The SQL store on SQLite, in thousands of random operations,")
struct MetadataStoreModelTests {
    @Test("answers as the model does, in memory", arguments: [1, 2, 3, 4] as [UInt64])
    func agreesInMemory(seed: UInt64) async throws {
        try await MetadataStoreModelCheck(seed: seed, operations: 1_000).run { body in
            try await check(on: try SQLiteDatabase.inMemory(), body)
        }
    }

    @Test("answers as the model does, in a file", arguments: [5] as [UInt64])
    func agreesInAFile(seed: UInt64) async throws {
        try await MetadataStoreModelCheck(seed: seed, operations: 500).run { body in
            try await withTemporaryDirectory { directory in
                try await check(on: try SQLiteDatabase.open(path: directory + "/storaged.sqlite"), body)
            }
        }
    }

    private func check(
        on database: SQLiteDatabase, _ body: (any MetadataStore) async throws -> Void
    ) async throws {
        try await Migrator(database: database, migrations: Migration.sqlite).up()
        try await body(SQLMetadataStore(database))
        try await database.close()
    }
}

@Suite("The SQL store on Postgres, in thousands of random operations,", .needsPostgres)
struct PostgresMetadataStoreModelTests {
    @Test("answers as the model does", arguments: [6, 7] as [UInt64])
    func agrees(seed: UInt64) async throws {
        try await MetadataStoreModelCheck(seed: seed, operations: 500).run { body in
            try await PostgresServer.withStore { database in
                try await body(SQLMetadataStore(database))
            }
        }
    }
}
