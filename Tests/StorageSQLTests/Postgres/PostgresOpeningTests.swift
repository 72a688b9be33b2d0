import StorageCore
import StorageSQL
import Testing

@testable import StoragePostgres

/// What can be opened, and what cannot.
@Suite("Opening a Postgres database", .needsPostgres)
struct PostgresOpeningTests {
    @Test(
        "refuses what can never be right, and does not repeat the URL",
        arguments: [
            "mysql://storage:s3cret@127.0.0.1/db", "postgres://storage:s3cret@127.0.0.1:0x/db?unheard=of",
            "postgres://[storage:s3cret", "s3cret",
        ])
    func badURL(_ url: String) async throws {
        let error = try await thrown(StorageError.self) { try await PostgresDatabase.open(url: url) }
        #expect(error?.code == .wrongStore)
        #expect(!String(reflecting: error).contains("s3cret"))
    }

    @Test("makes the tables, and finds them the next time")
    func store() async throws {
        try await PostgresServer.withSchema { url in
            for _ in 0..<2 {
                let metadata = try await SQLMetadataStore.postgres(url: url)
                let setting = try await metadata.setting("name", default: "value")
                #expect(setting == "value")
                try await metadata.close()
            }
        }
    }

    @Test("tells refused credentials and a missing database from a server that is away")
    func refusals() async throws {
        let url = try #require(PostgresServer.url)
        let at = try #require(url.lastIndex(of: "@"))
        let place = url[url.index(after: at)...]
        let server = place.prefix { $0 != "/" }
        let cases = [
            ("postgres://postgres:s3cret@\(place)", StorageError.Code.wrongStore),
            (url.replacing("/postgres", with: "/no_such_database", maxReplacements: 2), .wrongStore),
            ("postgres://postgres:s3cret@127.0.0.1:1/postgres", .unavailable),
        ]
        for (url, code) in cases {
            let error = try await thrown(StorageError.self) { try await PostgresDatabase.open(url: url) }
            #expect(error?.code == code, "\(server)")
            #expect(!String(reflecting: error).contains("s3cret"))
        }
    }
}
