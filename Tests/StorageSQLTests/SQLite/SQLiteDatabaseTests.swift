import StorageSQL
import StorageSQLite
import Testing

@Suite struct SQLiteDatabaseTests {
    @Test(arguments: SQLDatabaseConformance.clauses)
    func aDatabaseInAFile(_ clause: SQLDatabaseClause) async throws {
        try await withTemporaryDirectory { directory in
            let database = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
            try await clause.check(database)
            try await database.close()
        }
    }

    @Test(arguments: SQLDatabaseConformance.clauses)
    func aDatabaseInMemory(_ clause: SQLDatabaseClause) async throws {
        let database = try SQLiteDatabase.inMemory()
        try await clause.check(database)
        try await database.close()
    }
}
