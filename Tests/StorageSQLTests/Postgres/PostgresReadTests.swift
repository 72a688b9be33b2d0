import NIOCore
import NIOPosix
import StorageCore
import StorageSQL
import Testing

@testable import StoragePostgres

/// Single reads, many at a time on one connection.
@Suite("Reads on Postgres", .needsPostgres)
struct PostgresReadTests {
    @Test("that fail do not hurt those that are sent with them")
    func failingNeighbours() async throws {
        try await PostgresServer.withDatabase { database in
            let answers = try await withThrowingTaskGroup(of: (Int64, Int64?).self) { group in
                for number in 0..<400 as Range<Int64> {
                    group.addTask {
                        // Every seventh divides by zero.
                        let sql = "SELECT 700 / (CAST($1 AS BIGINT) % 7)"
                        let rows = try? await database.read { try $0.query(sql, [.integer(number)]) }
                        return (number, try rows?.first?.integer(0))
                    }
                }
                return try await group.reduce(into: [Int64: Int64?]()) { $0[$1.0] = .some($1.1) }
            }
            #expect(answers.count == 400)
            for (number, answer) in answers { #expect(answer == (number % 7 == 0 ? nil : 700 / (number % 7))) }
        }
    }

    @Test("of files that are sent together find each its own, with a task or without")
    func mergedLookups() async throws {
        try await PostgresServer.withStore { database in
            let store = SQLMetadataStore(database)
            let account = try await store.change(.openPublic(ownSpace: false)).account
            let container = try #require(account).container.id
            for number in 0..<50 {
                _ = try await store.commit(.makeFolder(container, FilePath("\(number)")))
            }
            let eventLoop = NIOSingletons.posixEventLoopGroup.any()
            let found = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
                for round in 0..<1_000 {
                    // Every other one is missing.
                    let number = round % 100
                    let selector = FileSelector.path(container, try FilePath("\(number)"))
                    group.addTask {
                        guard round.isMultiple(of: 3) else {
                            return (number, try await store.file(selector)?.path.text)
                        }
                        let future = try #require(store.file(selector, on: eventLoop))
                        return (number, try await future.get()?.path.text)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(found.count == 1_000)
            for (number, path) in found { #expect(path == (number < 50 ? "\(number)" : nil)) }
        }
    }

    @Test("whose connection ends are asked again")
    func lostConnection() async throws {
        try await PostgresServer.withDatabase { database in
            let lane = try await database.read { try $0.query("SELECT pg_backend_pid()", [])[0].integer(0) }
            try await database.write(.durable) { session in
                _ = try session.query(
                    "SELECT pg_terminate_backend(CAST(CAST($1 AS BIGINT) AS INTEGER))", [.integer(lane)])
            }
            let other = try await database.read { try $0.query("SELECT pg_backend_pid()", [])[0].integer(0) }
            #expect(other != lane)
        }
    }

    @Test("with statements whose columns have changed are compiled anew")
    func changedColumns() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            let query: @Sendable (any SQLSession) throws -> Int = { session in
                try session.query("SELECT * FROM items WHERE id = $1", [.integer(1)]).first?.values.count ?? 0
            }
            try await database.write(.durable) { try $0.insert(1) }
            let (read, written) = (try await database.read(query), try await database.write(.durable, query))
            try await database.write(.durable) { try $0.script("ALTER TABLE items ADD COLUMN further BIGINT") }
            let (readAgain, writtenAgain) = (try await database.read(query), try await database.write(.durable, query))
            #expect(readAgain == read + 1)
            #expect(writtenAgain == written + 1)
        }
    }

    @Test("of more statements than are kept compiled are answered")
    func manyStatements() async throws {
        try await PostgresServer.withDatabase { database in
            for number in 0..<600 as Range<Int64> {
                let sql = "SELECT $1 + CAST(\(number) AS BIGINT)"
                let read = try await database.read { try $0.query(sql, [.integer(1)])[0].integer(0) }
                let written = try await database.write(.relaxed) { try $0.query(sql, [.integer(1)])[0].integer(0) }
                #expect(read == number + 1)
                #expect(written == number + 1)
            }
        }
    }
}
