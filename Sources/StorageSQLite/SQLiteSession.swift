import GRDB
import GRDBSQLite
import StorageSQL

/// A transaction on one connection of SQLite.
///
/// Statements are compiled once a connection and run through the C interface: GRDB keeps the connections and their threads, but its
/// way of binding and decoding costs more than a query by key itself.
final class SQLiteSession: SQLSession {
    /// What the transaction is for.
    enum Access {
        case reading
        case writing
    }

    /// The last error that SQLite reported here, whether or not the body let it through.
    private(set) var failure: SQLError?

    private let database: Database
    private let connection: OpaquePointer
    private let access: Access

    /// Longer statements are those made for one occasion, such as a script's: keeping them would let the cache grow.
    private static let cachedLength = 4096

    /// - Throws: ``SQLError`` when the connection is closed.
    init(_ database: Database, _ access: Access) throws {
        guard let connection = database.sqliteConnection else {
            throw SQLError(.unreachable, "the database is closed")
        }
        self.database = database
        self.connection = connection
        self.access = access
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        var rows: [SQLRow] = []
        try run(sql, arguments) { statement in
            rows.append(try statement.row())
        }
        return rows
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        let before = sqlite3_total_changes64(connection)
        try run(sql, arguments) { _ in }
        // sqlite3_changes keeps its value over statements that change no rows.
        return sqlite3_total_changes64(connection) == before ? 0 : Int(sqlite3_changes64(connection))
    }

    func script(_ sql: String) throws {
        try checkUnderWay()
        guard access == .writing else { throw SQLError(.other, "a script in a read") }
        let code = sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failed(code) }
        try checkUnderWay()
    }

    /// Whether the transaction still exists: SQLite ends it by itself after some errors, such as a full disk.
    var isUnderWay: Bool {
        sqlite3_get_autocommit(connection) == 0
    }

    /// Runs a statement that begins or ends a transaction or a savepoint; see ``commit()`` for that one.
    func control(_ statement: TransactionStatement) throws {
        let code = try step(statement)
        guard code == SQLITE_OK else { throw failed(code) }
    }

    /// Commits; when that fails, nothing is under way any more.
    ///
    /// - Throws: ``SQLiteCommitError``, or ``SQLError`` when it was not tried.
    func commit() throws {
        let code = try step(.commit)
        guard code == SQLITE_OK else {
            let error = SQLiteCommitError(code, on: connection)
            rollBack()
            throw error
        }
    }

    /// Runs a pragma that takes effect while it is compiled and so cannot be kept.
    func pragma(_ sql: String) throws {
        let code = sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failed(code) }
    }

    /// Takes back what was done since the savepoint, and ends that.
    ///
    /// - Returns: false when that did not succeed.
    func revert() -> Bool {
        do {
            try control(.rollbackToSavepoint)
            try control(.release)
            return true
        } catch {
            return false
        }
    }

    /// Ends a snapshot.
    func endReading() {
        do {
            try control(.commit)
        } catch {
            rollBack()
        }
    }

    /// Takes back whatever is under way.
    func rollBack() {
        guard isUnderWay else { return }
        sqlite3_exec(connection, TransactionStatement.rollback.rawValue, nil, nil, nil)
    }

    private func step(_ statement: TransactionStatement) throws -> Int32 {
        let compiled = try compiled(statement.rawValue)
        defer { sqlite3_reset(compiled.sqliteStatement) }
        let code = sqlite3_step(compiled.sqliteStatement)
        return code == SQLITE_DONE ? SQLITE_OK : code
    }

    /// Remembers and describes an error.
    private func failed(_ code: Int32) -> SQLError {
        let error = SQLError(sqlite: code, on: connection)
        failure = error
        return error
    }

    private func run(_ sql: String, _ arguments: [SQLValue], _ row: (PreparedStatement) throws -> Void) throws {
        try checkUnderWay()
        let compiled = try compiled(sql)
        try withExtendedLifetime(compiled) {
            let statement = PreparedStatement(compiled.sqliteStatement)
            guard access == .writing || sqlite3_stmt_readonly(statement.pointer) != 0 else {
                throw SQLError(.other, "a statement that writes in a read")
            }
            defer { sqlite3_reset(statement.pointer) }
            let bound = try statement.bind(arguments)
            guard bound == SQLITE_OK else { throw failed(bound) }
            while true {
                let code = sqlite3_step(statement.pointer)
                switch code {
                case SQLITE_ROW: try row(statement)
                case SQLITE_DONE: return
                default: throw failed(code)
                }
            }
        }
    }

    /// A statement after the transaction has ended would be a transaction of its own, outside the promise of the body.
    private func checkUnderWay() throws {
        guard isUnderWay else { throw failure ?? SQLError(.other, "the transaction is over") }
    }

    private func compiled(_ sql: String) throws -> Statement {
        do {
            return sql.utf8.count > Self.cachedLength
                ? try database.makeStatement(sql: sql) : try database.cachedStatement(sql: sql)
        } catch {
            let error = SQLError(grdb: error)
            failure = error
            throw error
        }
    }
}

/// The statements that begin and end transactions.
enum TransactionStatement: String {
    case beginReading = "BEGIN DEFERRED"
    case beginWriting = "BEGIN IMMEDIATE"
    case commit = "COMMIT"
    case rollback = "ROLLBACK"
    case savepoint = "SAVEPOINT body"
    case release = "RELEASE body"
    case rollbackToSavepoint = "ROLLBACK TO body"
}
