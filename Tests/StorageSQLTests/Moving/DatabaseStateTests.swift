import StorageCore
import Testing

@testable import StorageSQL

/// What a database refuses in each state, to whoever writes.
@Suite struct DatabaseStateTests {
    private static let copy = CopyID()

    private func change(_ database: MovingDatabase, to next: DatabaseState) async throws {
        let dialect = database.database.dialect
        try await database.database.write(.durable) { session in
            try DatabaseState.read(in: session).change(to: next, in: session, dialect)
        }
    }

    @Test(
        arguments: [
            .closing(copy), .frozen(copy), .moved(copy, to: "sqlite:/a b/c d.sqlite"), .receiving(copy),
            .complete(copy),
        ] as [DatabaseState])
    func isReadAsItWasWritten(_ state: DatabaseState) throws {
        #expect(DatabaseState(text: try #require(state.text)) == state)
    }

    @Test(arguments: ["", "frozen", "frozen x", "thawed \(copy)", "moved \(copy)", "frozen \(copy) x"])
    func isNotGuessed(_ text: String) {
        #expect(DatabaseState(text: text) == nil)
    }

    /// Runs a test with a database that has rows in every table.
    private func withSource(_ engine: Engine, _ body: (MovingDatabase) async throws -> Void) async throws {
        try await engine.withDatabase { databases in
            try await databases[0].fill(files: 20)
            try await body(databases[0])
        }
    }

    @Test(arguments: Engine.available)
    func frozenRefusesEveryChangeOfEveryTableAndNoRead(_ engine: Engine) async throws {
        try await withSource(engine) { source in
            try await change(source, to: .frozen(Self.copy))
            let before = try await source.rows
            for table in StoredTable.all.map(\.name) + ["migrations"] {
                let columns = StoredTable.all.first { $0.name == table }?.columns ?? ["number", "name", "checksum"]
                for sql in [
                    "INSERT INTO \(table) SELECT * FROM \(table)", "DELETE FROM \(table)",
                    "UPDATE \(table) SET \(columns[0]) = \(columns[0])",
                ] {
                    let kind = try await source.failure(sql)
                    #expect(kind == .frozen, "\(sql)")
                }
            }
            let after = try await source.rows
            #expect(before == after)
        }
    }

    @Test(arguments: Engine.available)
    func closingRefusesNewUploadsAndNothingElse(_ engine: Engine) async throws {
        try await withSource(engine) { source in
            try await source.addUpload()
            try await change(source, to: .closing(Self.copy))
            let again = """
                INSERT INTO uploads (id, container_id, started_at, heartbeat_at) VALUES ($1, $1, 5, 5)
                ON CONFLICT (id) DO UPDATE SET reserved = 7
                """
            let open = try await source.failure(again, [.bytes([9, 9])])
            #expect(open == nil)
            let new = try await source.failure(again, [.bytes([9, 8])])
            #expect(new == .frozen)
            let other = try await source.failure("DELETE FROM audit")
            #expect(other == nil)
        }
    }

    @Test(arguments: Engine.available)
    func thawingTakesEveryTriggerAway(_ engine: Engine) async throws {
        try await withSource(engine) { source in
            for state in [.closing(Self.copy), .frozen(Self.copy), .moved(Self.copy, to: "x"), .open] as [DatabaseState]
            {
                try await change(source, to: state)
                let triggers = try await source.triggers
                #expect(triggers.isEmpty == (state == .open))
                let now = try await source.state
                #expect(now == state)
            }
            let kind = try await source.failure("DELETE FROM audit")
            #expect(kind == nil)
        }
    }

    /// As the daemon's statements are: compiled before, on a connection of its own, several in one transaction.
    @Test(arguments: Engine.available)
    func anotherProcessIsRefusedFromThenOnAndMayAgainAfterwards(_ engine: Engine) async throws {
        try await engine.withDatabase(connections: 2) { databases in
            let (here, there) = (databases[0], databases[1])
            try await here.fill(files: 1)
            let store = there.store
            let login = try Login(Array("ann".utf8))
            _ = try await store.change(
                .register(login: login, email: nil, passwordHash: "$test$", role: .user, ownSpace: false))
            try await change(here, to: .frozen(Self.copy))
            await withTaskGroup(of: StorageError?.self) { tasks in
                for number in 0..<20 {
                    tasks.addTask {
                        try? await thrown(StorageError.self) {
                            try await store.change(
                                .register(
                                    login: try Login(Array("ann\(number)".utf8)), email: nil, passwordHash: "$test$",
                                    role: .user, ownSpace: false))
                        }
                    }
                }
                for await error in tasks {
                    #expect(error?.code == .unavailable)
                    #expect(error?.isTransient == true)
                    #expect(error?.message.contains("moved") == true)
                }
            }
            let found = try await store.account(.login(login))
            #expect(found != nil)
            try await store.ping()
            try await change(here, to: .open)
            _ = try await store.change(
                .register(
                    login: try Login(Array("bob".utf8)), email: nil, passwordHash: "$test$", role: .user,
                    ownSpace: false))
        }
    }

    @Test(arguments: Engine.available)
    func migrationsAreRefusedWhileFrozen(_ engine: Engine) async throws {
        try await withSource(engine) { source in
            try await change(source, to: .frozen(Self.copy))
            let down = try await thrown(StorageError.self) { try await source.migrator.down(to: 1) }
            #expect(down?.code == .unavailable)
            try await source.migrator.check()
        }
    }
}
