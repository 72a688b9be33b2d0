package import NIOCore

/// A database as the metadata store sees it: transactions whose bodies are synchronous and may be run again.
///
/// # Behavior
///
/// - A body must have no effect but through its session: the driver may run it several times (after a serialization failure, or
///   alone after a failure of the batch it was part of), and only the last run counts.
/// - A body must not wait for anything but the database. That it cannot: it is synchronous.
/// - ``write(_:_:)`` returns only after the transaction is committed, with the promised durability. When a body throws,
///   nothing of it stays and the error passes through unchanged.
/// - A commit whose outcome is not known throws ``SQLError`` of kind ``SQLError/Kind/outcomeUnknown``.
/// - Neither blocks an event loop or the cooperative pool: drivers work on threads of their own, with a bounded queue.
package protocol SQLDatabase: Sendable {
    /// Where the databases differ.
    var dialect: SQLDialect { get }

    /// Tells the committed state at this moment from every other, whoever committed it; nil where that cannot be had without asking.
    ///
    /// Never waits. What a read saw that began and ended at one version is how things are for as long as the version stays.
    var version: SQLVersion? { get }

    /// Runs queries on one consistent snapshot.
    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Value) async throws -> Value

    /// Runs one query for a caller without a task; nil where the database, or the body, has no such way.
    ///
    /// The version is one that the database had before the query, after the call; nil where it is not known. What the query saw is how
    /// things are whenever the database has this version.
    func read<Value: Sendable>(
        on eventLoop: any EventLoop, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) -> EventLoopFuture<(value: Value, version: SQLVersion?)>?

    /// A version that the database has after the call, asked of it for less than a query costs; nil where it has no such way.
    func version(on eventLoop: any EventLoop) -> EventLoopFuture<SQLVersion?>?

    /// Runs one transaction that may change something.
    ///
    /// - Parameter cancellation: What becomes of it when the task of its caller is cancelled.
    func write<Value: Sendable>(
        _ durability: SQLDurability, _ cancellation: SQLCancellation,
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value

    /// How busy it is at this moment. Never waits.
    var load: SQLLoad { get }

    /// Finishes what is under way and closes all connections; nothing may be called afterwards.
    func close() async throws
}

/// How busy a database is.
package struct SQLLoad: Hashable, Sendable {
    /// Connections for transactions that are in use, and that rest; nil where connections are not taken and given back.
    package var connections: (inUse: Int, idle: Int)? {
        guard let inUse, let idle else { return nil }
        return (inUse, idle)
    }
    private let inUse: Int?
    private let idle: Int?
    /// Transactions and reads that wait.
    package let waiting: Int
    /// Those that have waited in vain, since the start.
    package let timeouts: UInt64

    /// Describes a database.
    package init(inUse: Int? = nil, idle: Int? = nil, waiting: Int, timeouts: UInt64 = 0) {
        self.inUse = inUse
        self.idle = idle
        self.waiting = waiting
        self.timeouts = timeouts
    }
}

/// The name of one committed state of a database: equal only for equal states.
package struct SQLVersion: Hashable, Sendable {
    private let words: SIMD8<UInt64>

    /// Takes what a driver can tell states by.
    package init(_ words: SIMD8<UInt64>) {
        self.words = words
    }
}

/// What a commit promises.
package enum SQLDurability: Sendable {
    /// It survives a power cut.
    case durable
    /// It survives the end of the process; a power cut may undo it, but never without everything committed after it.
    case relaxed
}

/// What becomes of a transaction whose caller is cancelled.
package enum SQLCancellation: Sendable {
    /// It may end early, with nothing done and `CancellationError`.
    case ends
    /// It goes on: it cleans up, which is due most of all when a task was cancelled.
    case ignored
}

extension SQLDatabase {
    /// Says that there is no such way.
    package func read<Value: Sendable>(
        on eventLoop: any EventLoop, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) -> EventLoopFuture<(value: Value, version: SQLVersion?)>? { nil }

    /// Says that there is no such way.
    package func version(on eventLoop: any EventLoop) -> EventLoopFuture<SQLVersion?>? { nil }

    /// Runs one transaction that may change something, and may end with the task of its caller.
    package func write<Value: Sendable>(
        _ durability: SQLDurability, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await write(durability, .ends, body)
    }
}

/// A transaction under way; valid only inside the body it was given to.
package protocol SQLSession {
    /// Runs one statement and returns its rows. Parameters are `$1`, `$2`, …, numbered in the order in which they first appear.
    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]

    /// Runs one statement and returns the number of rows that it changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

    /// Sends one statement whose rows are looked at later: several answers that are waited for together cost one round trip.
    ///
    /// Statements run in the order in which they were sent.
    func ask(_ sql: String, _ arguments: [SQLValue]) throws -> any SQLAnswer

    /// Sends one statement whose outcome nobody looks at. Should it fail, the next answer says so, or the commit.
    func perform(_ sql: String, _ arguments: [SQLValue]) throws

    /// Runs several statements without parameters, separated by semicolons: for migrations.
    func script(_ sql: String) throws

    /// Says of a read that it asks more than one question, so that none of them is asked where one alone is answered fastest.
    func asksSeveralQuestions() throws
}

extension SQLSession {
    /// Is the same to most.
    package func asksSeveralQuestions() throws {}

    /// The first row of a query; nil when there is none.
    package func first(_ sql: String, _ arguments: [SQLValue]) throws -> SQLRow? {
        try query(sql, arguments).first
    }

    /// Whether a query has a row.
    package func exists(_ sql: String, _ arguments: [SQLValue]) throws -> Bool {
        try !query(sql, arguments).isEmpty
    }
}

/// The fragments of SQL in which the databases differ.
package struct SQLDialect: Sendable {
    /// The name of the folder that the migrations of this database lie in.
    package let name: String
    /// The database's clock as whole microseconds since the Unix epoch, the same in a whole statement at least.
    package let now: String
    /// Behind a SELECT: locks its rows against every other lock. Empty where there is one writer at a time, as are the next three.
    package let forUpdate: String
    /// Behind a SELECT: locks its rows against other changes; rows that refer to them may be made.
    package let forNoKeyUpdate: String
    /// Behind a SELECT: locks its rows against being changed or deleted.
    package let forShare: String
    /// Behind a SELECT: locks its rows against being deleted and against a change of their keys.
    package let forKeyShare: String
    /// Behind ``forUpdate``: leaves out rows that others hold.
    package let skipLocked: String
    /// The first place, from 1, at which the first of two expressions, both bytes, stands in the second; 0 where it does not.
    package let place: @Sendable (String, String) -> String
    /// Between two values, or rows of them: whether they differ, where NULL is a value like any other.
    package let isDistinct: String
    /// A query that has a row where there is a table of the name `$1`.
    package let tableLookup: String
    /// A statement that keeps other migrators out until the end of the transaction; nil where the transaction does.
    package let migrationLock: String?
    /// A query that keeps others from making accounts until the end of the transaction; nil where the transaction does.
    package let accountLock: String?
    /// How the database is made to refuse writes.
    package let writeBarrier: SQLWriteBarrier

    /// Describes a database.
    package init(
        name: String, now: String, forUpdate: String, forNoKeyUpdate: String, forShare: String, forKeyShare: String,
        skipLocked: String, place: @escaping @Sendable (String, String) -> String, isDistinct: String,
        tableLookup: String, migrationLock: String?, accountLock: String?,
        writeBarrier: SQLWriteBarrier
    ) {
        self.name = name
        self.now = now
        self.forUpdate = forUpdate
        self.forNoKeyUpdate = forNoKeyUpdate
        self.forShare = forShare
        self.forKeyShare = forKeyShare
        self.skipLocked = skipLocked
        self.place = place
        self.isDistinct = isDistinct
        self.tableLookup = tableLookup
        self.migrationLock = migrationLock
        self.accountLock = accountLock
        self.writeBarrier = writeBarrier
    }
}
