import StorageSQL
import Testing

@testable import StoragePostgres

/// What each setting of the pool promises.
@Suite("The pool of Postgres connections", .needsPostgres)
struct PostgresPoolTests {
    private static func options(size: Int, overflow: Int) -> PostgresPool.Options {
        var options = PostgresPool.Options()
        (options.size, options.maxOverflow) = (size, overflow)
        return options
    }

    @Test("refuses as busy who waits longer than the timeout, and serves who does not")
    func timeout() async throws {
        var options = Self.options(size: 1, overflow: 0)
        options.timeout = .milliseconds(300)
        try await PostgresServer.withDatabase(pool: options) { database in
            let gate = Gate()
            async let holder: Void = database.hold(until: gate)
            await gate.isReached()
            let late = try await thrown(SQLError.self) { try await database.backend() }
            #expect(late?.kind == .busy)
            gate.open()
            try await holder
            _ = try await database.backend()
        }
    }

    @Test("refuses at once who would be one too many to wait")
    func queue() async throws {
        var options = Self.options(size: 1, overflow: 0)
        options.waiting = 2
        try await PostgresServer.withDatabase(pool: options) { database in
            let gate = Gate()
            async let holder: Void = database.hold(until: gate)
            await gate.isReached()
            try await withThrowingTaskGroup(of: SQLError?.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await thrown(SQLError.self) { try await database.backend() } }
                }
                // Two of them wait, and only for the holder.
                let first = try await group.next() ?? nil
                #expect(first?.kind == .busy)
                #expect(first?.description == "2 others are waiting")
                gate.open()
                for try await other in group { #expect(other == nil) }
            }
            try await holder
        }
    }

    @Test("opens more connections under load, and closes those beyond its size when they have rested")
    func overflow() async throws {
        var options = Self.options(size: 1, overflow: 2)
        options.overflowRest = .milliseconds(500)
        try await PostgresServer.withDatabase(pool: options) { database in
            let together = try await database.backendsAtOnce(3)
            #expect(together.count == 3)
            for _ in 0..<600 {
                if try await database.backends(among: together) == 1 { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            // What is within the size stays.
            try await Task.sleep(for: .seconds(1))
            let kept = try await database.backends(among: together)
            #expect(kept == 1)
        }
    }

    @Test("keeps a connection beyond its size as long as it has not rested")
    func restingOverflow() async throws {
        var options = Self.options(size: 1, overflow: 2)
        options.overflowRest = .seconds(600)
        try await PostgresServer.withDatabase(pool: options) { database in
            let first = try await database.backendsAtOnce(3)
            let second = try await database.backendsAtOnce(3)
            #expect(first == second)
        }
    }

    @Test("replaces a connection of the age to recycle", arguments: [true, false])
    func recycle(isDue: Bool) async throws {
        var options = Self.options(size: 1, overflow: 0)
        options.recycle = isDue ? .milliseconds(50) : .zero
        try await PostgresServer.withDatabase(pool: options) { database in
            let first = try await database.backend()
            try await Task.sleep(for: .milliseconds(200))
            let second = try await database.backend()
            #expect((first == second) != isDue)
        }
    }

    @Test("takes the connection that was given back last, or the one that rested longest", arguments: [true, false])
    func order(usesLIFO: Bool) async throws {
        var options = Self.options(size: 2, overflow: 0)
        options.useLIFO = usesLIFO
        try await PostgresServer.withDatabase(pool: options) { database in
            let gate = Gate()
            async let holder: Void = database.hold(until: gate)
            await gate.isReached()
            _ = try await database.backend()
            gate.open()
            try await holder
            var backends: Set<Int64> = []
            for _ in 0..<6 { backends.insert(try await database.backend()) }
            #expect(backends.count == (usesLIFO ? 1 : 2))
        }
    }

    @Test("does not hand out a connection that ended while it rested", arguments: [true, false])
    func prePing(asks: Bool) async throws {
        var options = Self.options(size: 1, overflow: 0)
        options.prePing = asks
        try await PostgresServer.withDatabase(pool: options) { database in
            let first = try await database.backend()
            let ended = try await database.read { session in
                try session.query(
                    "SELECT pg_terminate_backend(CAST(CAST($1 AS BIGINT) AS INTEGER))", [.integer(first)])[0].integer(0)
            }
            #expect(ended == 1)
            let second = try await database.backend()
            #expect(first != second)
        }
    }
}

extension PostgresDatabase {
    /// The process at the server that a transaction runs in.
    func backend() async throws -> Int64 {
        try await write(.durable) { try $0.query("SELECT pg_backend_pid()", [])[0].integer(0) }
    }

    /// The processes that so many transactions run in which are all under way at a moment.
    func backendsAtOnce(_ count: Int) async throws -> Set<Int64> {
        let gates = (0..<count).map { _ in Gate() }
        return try await withThrowingTaskGroup(of: Int64.self) { group in
            for gate in gates {
                group.addTask {
                    try await write(.durable) { session in
                        gate.pass()
                        return try session.query("SELECT pg_backend_pid()", [])[0].integer(0)
                    }
                }
            }
            for gate in gates { await gate.isReached() }
            for gate in gates { gate.open() }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
    }

    /// How many of these processes are still there.
    func backends(among processes: Set<Int64>) async throws -> Int64 {
        let list = processes.map(String.init).joined(separator: ", ")
        return try await read {
            try $0.query("SELECT COUNT(*) FROM pg_stat_activity WHERE pid IN (\(list))", [])[0].integer(0)
        }
    }

    /// Holds a connection.
    func hold(until gate: Gate) async throws {
        try await write(.durable) { _ in gate.pass() }
    }
}
