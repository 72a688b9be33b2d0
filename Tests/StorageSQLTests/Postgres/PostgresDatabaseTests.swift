import StoragePostgres
import StorageSQL
import Testing

@Suite("The driver for Postgres", .needsPostgres)
struct PostgresDatabaseTests {
    @Test("keeps the contract of a driver", arguments: SQLDatabaseConformance.clauses)
    func keepsTheContract(_ clause: SQLDatabaseClause) async throws {
        try await PostgresServer.withDatabase { database in
            try await clause.check(database)
        }
    }
}
