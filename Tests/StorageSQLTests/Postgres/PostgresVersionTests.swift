import NIOCore
import NIOPosix
import StorageCore
import StorageMigrations
import StorageSQL
import Testing

@testable import StoragePostgres

/// What is remembered of a database that others write into, and how it is found out that it does not hold any more.
@Suite("Versions of a Postgres", .needsPostgres)
struct PostgresVersionTests {
    private static let eventLoop = NIOSingletons.posixEventLoopGroup.any()

    /// Asks until there is one: there is none while many transactions are under way, as those of other tests are.
    private static func version(of database: PostgresDatabase) async throws -> SQLVersion {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let future = try #require(database.version(on: eventLoop))
            if let version = try await future.get() { return version }
            try #require(ContinuousClock.now < deadline, "There is no version in a minute.")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("differ after a commit and after nothing else that a test can do alone")
    func commits() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            var versions: Set<SQLVersion> = []
            for number in 0..<20 as Range<Int64> {
                try await database.write(.relaxed) { try $0.insert(number) }
                #expect(versions.insert(try await Self.version(of: database)).inserted)
            }
        }
    }

    @Test("change with the end of a transaction, not with its beginning alone")
    func underWay() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            let gate = Gate()
            defer { gate.open() }
            async let write: Void = database.write(.durable) { session in
                try session.insert(1)
                gate.pass()
            }
            await gate.isReached()
            let before = try await Self.version(of: database)
            gate.open()
            try await write
            #expect(try await Self.version(of: database) != before)
        }
    }

    /// The other store is another process as far as the database is concerned.
    @Test("end what was remembered as soon as another store has committed")
    func records() async throws {
        try await PostgresServer.withSchema { url in
            let (one, other) = (try await PostgresDatabase.open(url: url), try await PostgresDatabase.open(url: url))
            try await Migrator(database: one, migrations: Migration.postgres).up()
            let (reader, writer) = (SQLMetadataStore(one), SQLMetadataStore(other))
            let account = try await writer.change(.openPublic(ownSpace: false)).account
            let container = try #require(account).container.id
            func found(_ path: FilePath) async throws -> FileRecord? {
                try await #require(reader.file(.path(container, path), on: Self.eventLoop)).get()
            }
            for number in 0..<100 {
                let (path, moved) = (try FilePath("\(number)"), try FilePath("moved/\(number)"))
                _ = try await writer.commit(.makeFolder(container, path))
                for _ in 0..<4 { #expect(try await found(path)?.path == path) }
                let move = FileChange.Relocation(
                    source: .path(container, path), target: moved, kind: nil, overwrite: false, precondition: .none,
                    keepRevisions: 0)
                _ = try await writer.commit(.move(move))
                #expect(try await found(path) == nil)
                #expect(try await found(moved)?.path == moved)
            }
            try await reader.close()
            try await writer.close()
        }
    }

    @Test("are told together with the answers to queries, and to all who ask at once")
    func together() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            try await database.write(.durable) { try $0.insert(1) }
            let deadline = ContinuousClock.now + .seconds(60)
            var untold = 0
            repeat {
                let queries = try (0..<100).map { _ in
                    try #require(
                        database.read(on: Self.eventLoop) { try $0.query("SELECT id FROM items", [])[0].integer(0) })
                }
                let versions = try (0..<100).map { _ in try #require(database.version(on: Self.eventLoop)) }
                untold = 0
                for query in queries {
                    let (number, version) = try await query.get()
                    #expect(number == 1)
                    untold += version == nil ? 1 : 0
                }
                for version in versions { untold += try await version.get() == nil ? 1 : 0 }
                // There is none while many transactions are under way, as those of other tests are.
            } while untold > 0 && ContinuousClock.now < deadline
            #expect(untold == 0)
        }
    }

    /// What a crash of the server ends; with fewer transactions than before it, their numbers come again.
    @Test("change when connections end, though nobody committed anything")
    func lostConnections() async throws {
        try await PostgresServer.withDatabase { database in
            for _ in 0..<5 {
                let (before, process) = (
                    try await Self.version(of: database),
                    try await database.read { try $0.query("SELECT pg_backend_pid()", [])[0].integer(0) }
                )
                try await database.write(.durable) { session in
                    _ = try session.query(
                        "SELECT pg_terminate_backend(CAST(CAST($1 AS BIGINT) AS INTEGER))", [.integer(process)])
                }
                #expect(try await Self.version(of: database) != before)
            }
        }
    }

    @Test("are read from snapshots as the server writes them")
    func snapshots() {
        func version(_ snapshot: String, _ start: Int64 = 1, _ connections: UInt64 = 1) -> SQLVersion? {
            SQLVersion(snapshot: snapshot, start: start, connections: connections)
        }
        #expect(version("100:100:") != nil)
        #expect(version("100:100:") == version("100:100:"))
        let different = [
            version("100:100:"), version("100:101:"), version("99:100:"), version("100:104:100,102"),
            version("100:104:100,103"), version("100:104:100"), version("100:100:", 2),
            version("100:100:", 1, 2),
        ]
        #expect(Set(different).count == different.count)
        // More than there is room for, and what no server writes.
        for text in ["100:110:100,101,102,103,104", "", "100", "100:101", "a:b:", "1:2:x", "1:2:3:4", "-1:2:"] {
            #expect(version(text) == nil, "\(text)")
        }
    }
}
