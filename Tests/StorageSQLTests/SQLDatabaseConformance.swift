import StorageSQL
import Synchronization
import Testing

/// What every driver must do, clause by clause; each gets an empty database of its own.
struct SQLDatabaseClause: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (any SQLDatabase) async throws -> Void

    var testDescription: String { name }

    init(_ name: String, _ check: @escaping @Sendable (any SQLDatabase) async throws -> Void) {
        self.name = name
        self.check = check
    }
}

/// The contract of ``SQLDatabase``.
enum SQLDatabaseConformance {
    static let clauses = transactions + batches + values + statements
}

/// What a body throws when it wants its transaction undone.
struct Refusal: Error, Equatable {
    let number: Int64
}

extension SQLDatabase {
    /// Makes `items (id, number, label, bytes)`, of which only the id must be given, with unique numbers.
    func makeItems() async throws {
        let bytes = dialect.name == "sqlite" ? "BLOB" : "BYTEA"
        try await write(.durable) { session in
            try session.script(
                """
                CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT UNIQUE, label TEXT, bytes \(bytes));
                CREATE TABLE owned (id BIGINT NOT NULL PRIMARY KEY, item BIGINT NOT NULL REFERENCES items (id));
                """)
        }
    }

    /// The ids in `items`, in order.
    func ids() async throws -> [Int64] {
        try await read { session in
            try session.query("SELECT id FROM items ORDER BY id", []).map { try $0.integer(0) }
        }
    }
}

/// A number that tasks of a test share.
final class Counter: Sendable {
    private let number = Mutex(0)

    var value: Int { number.withLock { $0 } }

    /// Adds one and returns the sum.
    @discardableResult
    func increment() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}

extension SQLSession {
    func insert(_ id: Int64) throws {
        try execute("INSERT INTO items (id) VALUES ($1)", [.integer(id)])
    }
}

/// The error of the expected type that an operation throws; nil when it throws none.
func thrown<Failure: Error, Value>(_ type: Failure.Type, by operation: () async throws -> Value) async throws
    -> Failure?
{
    do {
        _ = try await operation()
        return nil
    } catch let error as Failure {
        return error
    }
}
