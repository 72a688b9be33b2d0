import CLibpq
import NIOCore
import StorageSQL

/// A transaction under way on one connection, in pipeline mode (PostgreSQL documentation, 34.5): what is sent waits for no answer but
/// those that are looked at.
///
/// The COMMIT goes along with the statements whose outcome nobody looks at: should one of them fail, the server passes over the rest.
final class PostgresSession: SQLSession {
    /// What a transaction is for.
    enum Access {
        case reading
        case writing(SQLDurability)

        fileprivate var begin: [String] {
            switch self {
            case .reading: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
            case .writing(.durable): ["BEGIN"]
            case .writing(.relaxed): ["BEGIN", "SET LOCAL synchronous_commit = off"]
            }
        }

        var isReading: Bool {
            if case .reading = self { true } else { false }
        }
    }

    /// The first error that was reported here, whether or not the body let it through.
    private(set) var failure: PostgresError?

    private let connection: PostgresConnection
    private let access: Access
    /// What was sent and is not answered, in the order of the answers.
    private var underWay: [SentStatement] = []
    /// Enough for a round trip to count for little; what is sent is bounded, and so is what a time limit for all of it covers.
    private static let largestBatch = 64
    /// Whether the server has answered anything: a connection may have ended while it rested.
    private var wasAnswered = false

    init(_ connection: PostgresConnection, _ access: Access) {
        self.connection = connection
        self.access = access
    }

    func begin() throws {
        try noting { () throws(PostgresError) in
            try connection.enterPipeline()
            for statement in access.begin { _ = try send(statement, .none) }
        }
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        try ask(sql, arguments).rows()
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try result(of: sent(sql, arguments)).changes
    }

    func ask(_ sql: String, _ arguments: [SQLValue]) throws -> any SQLAnswer {
        PostgresAnswer(session: self, statement: try sent(sql, arguments))
    }

    func perform(_ sql: String, _ arguments: [SQLValue]) throws {
        _ = try sent(sql, arguments)
    }

    /// May take as long as it takes: the server's own limits hold, where the script does not lift them.
    func script(_ sql: String) throws {
        guard !access.isReading else { throw SQLError(.other, "a script in a read") }
        try noting { () throws(PostgresError) in
            try synchronize()
            if let failure { throw failure }
            try connection.leavePipeline()
            try connection.run(script: sql, patience: nil)
            try connection.enterPipeline()
        }
    }

    /// How a COMMIT ended.
    enum Ending {
        case committed
        /// Nothing of the transaction stays.
        case failed(PostgresError)
        case unknown(PostgresError)
    }

    /// Where it failed, the transaction is still to be rolled back.
    func commit() -> Ending {
        // Where nothing was heard yet, a connection that has ended is found out while the outcome is still known.
        if !wasAnswered {
            do throws(PostgresError) {
                try synchronize()
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { return .failed(failure) }
        var commit: SentStatement?
        do throws(PostgresError) {
            commit = try send("COMMIT", .none)
            try synchronize()
            // The server passes over one behind a statement that failed; it answers one in a transaction that failed before with a
            // ROLLBACK, and calls that a success.
            guard case .success(let result)? = commit?.outcome, result.command == "COMMIT" else {
                return .failed(failure ?? PostgresError(state: nil, "the server rolled back"))
            }
            try connection.leavePipeline()
            return .committed
        } catch {
            failure = failure ?? error
            if case .success(let result)? = commit?.outcome, result.command == "COMMIT" { return .committed }
            // What the server says of a statement before it, it says instead of committing.
            let isOfAnother = error.state != nil && commit != nil && underWay.last === commit
            return isOfAnother ? .failed(error) : .unknown(error)
        }
    }

    /// Takes back what was done; false when the connection is of no further use.
    func rollBack() -> Bool {
        do throws(PostgresError) {
            if !underWay.isEmpty { try synchronize() }
            let rollBack = try send("ROLLBACK", .none)
            try synchronize()
            guard case .success? = rollBack.outcome else { return false }
            try connection.leavePipeline()
            return true
        } catch {
            return false
        }
    }

    // MARK: - Statements under way

    /// The result of a statement, waited for if need be.
    fileprivate func result(of statement: SentStatement) throws(SQLError) -> PostgresResult {
        try noting { () throws(PostgresError) in
            if statement.outcome == nil { try synchronize() }
            guard let outcome = statement.outcome else { throw PostgresError(state: nil, "no answer") }
            return try outcome.get()
        }
    }

    private func sent(_ sql: String, _ arguments: [SQLValue]) throws -> SentStatement {
        let parameters = try PostgresParameters(arguments)
        return try noting { () throws(PostgresError) in try send(sql, parameters) }
    }

    private func send(_ sql: String, _ parameters: PostgresParameters) throws(PostgresError) -> SentStatement {
        if underWay.count == Self.largestBatch { try synchronize() }
        let statement = SentStatement(sql: sql, isCompiled: try connection.enqueue(sql, parameters))
        underWay.append(statement)
        return statement
    }

    /// Reads every answer that is still to come, up to a point behind which the server takes statements again after a failure, and
    /// holds a transaction that goes silent for idle: without that its limits would not end it.
    private func synchronize() throws(PostgresError) {
        try connection.synchronize()
        while !underWay.isEmpty { try receive() }
        try connection.endOfBatch()
    }

    /// Reads the answer to the statement that was sent first.
    private func receive() throws(PostgresError) {
        let statement = underWay.removeFirst()
        switch try connection.answer(to: statement.sql, isCompiled: statement.isCompiled) {
        case .rows(let result):
            statement.outcome = .success(result)
        case .failed(let error):
            failure = failure ?? error
            statement.outcome = .failure(failure ?? error)
        case .passedOver:
            statement.outcome = .failure(failure ?? PostgresError(state: nil, "passed over"))
        }
        wasAnswered = true
    }

    private func noting<Value>(_ body: () throws(PostgresError) -> Value) throws(SQLError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            failure = failure ?? error
            // The server refuses to write in a transaction that only reads: ours is to blame, not the server's state.
            if access.isReading, error.state == "25006" { throw SQLError(.other, error.description) }
            throw SQLError(error)
        }
    }
}

/// A statement that was sent, and what became of it.
private final class SentStatement {
    let sql: String
    /// Whether it is compiled first, which has an answer of its own.
    let isCompiled: Bool
    /// Nil until it is read.
    var outcome: Result<PostgresResult, PostgresError>?

    init(sql: String, isCompiled: Bool) {
        self.sql = sql
        self.isCompiled = isCompiled
    }
}

/// The rows of a statement of a transaction under way.
private struct PostgresAnswer: SQLAnswer {
    let session: PostgresSession
    let statement: SentStatement

    func rows() throws -> [SQLRow] {
        try session.result(of: statement).rows()
    }
}
