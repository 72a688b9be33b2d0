import StorageCore
import StorageSQL
import Synchronization
import Testing

@testable import StoragePostgres

/// What becomes of a transaction that meets another, or loses its connection.
@Suite("A transaction on Postgres", .needsPostgres)
struct PostgresFaultTests {
    /// Writes down what it is told.
    private final class Witness: ResilienceObserver {
        private let told = Mutex<[String]>([])

        var all: [String] { told.withLock { $0 } }

        func retried(
            _ operation: String, of service: String, attempt: Int, after delay: Duration, because error: StorageError
        ) {
            told.withLock { $0.append("\(service): \(operation) for the \(attempt). time") }
        }

        func gaveUp(
            _ operation: String, of service: String, attempts: Int, because reason: ResilientCaller.Surrender,
            error: StorageError
        ) {
            told.withLock { $0.append("\(service): \(operation) given up after \(attempts) \(reason.rawValue)") }
        }

        func circuitChanged(of service: String, to state: CircuitBreaker.State) {
            told.withLock { $0.append("\(service): \(state.rawValue)") }
        }
    }

    @Test("that loses its connection before COMMIT runs again, and counts once")
    func lostBeforeCommit() async throws {
        let witness = Witness()
        try await PostgresServer.withDatabase(observer: witness) { database in
            try await database.makeItems()
            let runs = Counter()
            try await database.write(.durable) { session in
                try session.insert(1)
                if runs.increment() == 1 { _ = try session.query("SELECT pg_terminate_backend(pg_backend_pid())", []) }
            }
            let ids = try await database.ids()
            #expect(runs.value == 2)
            #expect(ids == [1])
            #expect(witness.all == ["postgres: transaction for the 2. time"])
        }
    }

    @Test("whose connection is lost again and again fails, and leaves nothing")
    func lostAlways() async throws {
        let witness = Witness()
        try await PostgresServer.withDatabase(observer: witness) { database in
            try await database.makeItems()
            let error = try await thrown(SQLError.self) {
                try await database.write(.durable) { session in
                    try session.insert(1)
                    _ = try session.query("SELECT pg_terminate_backend(pg_backend_pid())", [])
                }
            }
            let ids = try await database.ids()
            #expect(error?.kind == .unreachable)
            #expect(ids == [])
            let repeated = [2, 3].map { "postgres: transaction for the \($0). time" }
            #expect(witness.all == repeated + ["postgres: transaction given up after 3 attempts"])
        }
    }

    @Test("that loses its connection during COMMIT has an unknown outcome and does not run again")
    func lostDuringCommit() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            try await database.write(.durable) { session in
                try session.script(
                    """
                    CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
                    CREATE CONSTRAINT TRIGGER leaving AFTER INSERT ON items
                        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE leave();
                    """)
            }
            let runs = Counter()
            let error = try await thrown(SQLError.self) {
                try await database.write(.durable) { session in
                    runs.increment()
                    try session.insert(1)
                }
            }
            #expect(error?.kind == .outcomeUnknown)
            #expect(runs.value == 1)
        }
    }

    @Test("that waits for another which waits for it runs again, unseen")
    func deadlock() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            try await database.write(.durable) { session in
                try session.script("INSERT INTO items (id, number) VALUES (1, 0), (2, 100)")
            }
            let (runs, updates) = (Counter(), Counter())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[1, 2], [2, 1]] as [[Int64]] {
                    group.addTask {
                        try await database.write(.durable) { session in
                            runs.increment()
                            for id in order {
                                try session.execute(
                                    "UPDATE items SET number = number + 1 WHERE id = $1", [.integer(id)])
                                updates.increment()
                                // Both hold one row before either asks for the other's.
                                for _ in 0..<60 where updates.value < 2 {
                                    _ = try session.query("SELECT pg_sleep(0.05)", [])
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let numbers = try await database.read { session in
                try session.query("SELECT number FROM items ORDER BY id", []).map { try $0.integer(0) }
            }
            #expect(runs.value >= 3)
            #expect(numbers == [2, 102])
        }
    }

    @Test("that went on after an error of the database is not taken for committed")
    func swallowedError() async throws {
        try await PostgresServer.withDatabase { database in
            try await database.makeItems()
            let error = try await thrown(SQLError.self) {
                try await database.write(.durable) { session in
                    try session.insert(1)
                    try? session.insert(1)
                }
            }
            let ids = try await database.ids()
            #expect(error?.kind == .uniqueViolation)
            #expect(ids == [])
        }
    }

    @Test("whose caller is cancelled is ended at the server, and its connection is not used again")
    func cancelled() async throws {
        try await PostgresServer.withDatabase { database in
            let gate = Gate()
            gate.open()
            let task = Task {
                try await database.write(.durable) { session in
                    gate.pass()
                    // Longer than the server lets a statement run: who is not cancelled fails otherwise.
                    _ = try session.query("SELECT pg_sleep(60)", [])
                }
            }
            await gate.isReached()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            for _ in 0..<20 { _ = try await database.backend() }
        }
    }

    @Test("whose caller is cancelled while it waits for a connection never starts")
    func cancelledWhileWaiting() async throws {
        var options = PostgresPool.Options()
        (options.size, options.maxOverflow) = (1, 0)
        try await PostgresServer.withDatabase(pool: options) { database in
            try await database.makeItems()
            let gate = Gate()
            async let holder: Void = database.hold(until: gate)
            await gate.isReached()
            let task = Task { try await database.write(.durable) { try $0.insert(1) } }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            gate.open()
            try await holder
            let ids = try await database.ids()
            #expect(ids == [])
        }
    }

    @Test("has the limits and the durability that it was promised")
    func settings() async throws {
        try await PostgresServer.withDatabase { database in
            let names = [
                "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit",
                "transaction_isolation", "client_encoding",
            ]
            let query: @Sendable (any SQLSession) throws -> [String] = { session in
                try names.map { try session.query("SELECT current_setting($1)", [.text($0)])[0].text(0) }
            }
            let durable = try await database.write(.durable, query)
            let relaxed = try await database.write(.relaxed, query)
            let again = try await database.write(.durable, query)
            #expect(durable == ["5s", "3s", "10s", "on", "read committed", "UTF8"])
            #expect(relaxed == ["5s", "3s", "10s", "off", "read committed", "UTF8"])
            #expect(again == durable)
        }
    }
}
