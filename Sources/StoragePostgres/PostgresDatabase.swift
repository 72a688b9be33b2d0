package import NIOCore
import NIOPosix
package import StorageCore
package import StorageSQL

/// PostgreSQL behind the metadata store: pooled connections for transactions, and a lane of pipelined ones for single reads.
///
/// # Behavior
///
/// - Any number of processes use one database. What one of them remembers holds for a version, and whether that is still the one
///   is asked each time.
/// - Statements are compiled once a connection; their parameters go beside them in binary, never into their text.
/// - Writes are READ COMMITTED; a read of several queries is one REPEATABLE READ snapshot.
/// - A caller that is cancelled stops waiting, and the statement of its transaction is ended at the server.
/// - A connection that was lost is replaced; see ``TransactionQueue`` for what becomes of its transaction.
package struct PostgresDatabase: SQLDatabase {
    private let threads: NIOThreadPool
    private let pool: PostgresPool
    private let transactions: TransactionQueue
    private let lane: ReadLane

    private static let oldestServer = 100_000

    /// Opens a database, and makes a first connection to it.
    ///
    /// - Parameters:
    ///   - url: as libpq reads it: `postgres://user:password@host:port/database?option=value`.
    ///   - options: how many connections there are, and how they are used
    ///   - observer: is told of what is repeated and given up
    /// - Throws: ``StorageError``: of code ``StorageError/Code/wrongStore`` for what cannot become right by itself: a text that is no
    ///   URL, credentials that are refused, a database that does not exist, one that is too old or not in UTF-8; of code
    ///   ``StorageError/Code/unavailable`` while the server cannot be reached.
    package static func open(
        url: String, pool options: PostgresPool.Options = .init(),
        observer: some ResilienceObserver = LoggingResilienceObserver()
    ) async throws -> PostgresDatabase {
        let repetitions = Repetitions(observer)
        let source = ConnectionSource(try PostgresAddress(url: url), repetitions)
        let threads = NIOThreadPool(numberOfThreads: options.connections + ReadLane.connections)
        threads.start()
        let pool = PostgresPool(source, options)
        do {
            try await threads.runIfActive { try check(source, pool) }
        } catch {
            try? await threads.shutdownGracefully()
            throw error
        }
        return PostgresDatabase(
            threads: threads, pool: pool,
            transactions: TransactionQueue(source, pool, options, repetitions, threads: threads),
            lane: ReadLane(source, options, repetitions, threads: threads))
    }

    package var dialect: SQLDialect { .postgres }

    /// Other nodes commit without telling this one: it has to ask.
    package var version: SQLVersion? { nil }

    package func version(on eventLoop: any EventLoop) -> EventLoopFuture<SQLVersion?>? {
        lane.version(on: eventLoop)
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        switch try SingleQuestion.run(body) {
        case .finished(let value):
            return value
        case .asked(let sql, let arguments):
            let rows = try await lane.query(sql, arguments)
            if case .finished(let value) = try SingleQuestion.run(body, answer: rows) { return value }
        case .needsTransaction:
            break
        }
        return try await transactions.run(.reading, .ends, body)
    }

    /// Where the body asks one question.
    package func read<Value: Sendable>(
        on eventLoop: any EventLoop, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) -> EventLoopFuture<(value: Value, version: SQLVersion?)>? {
        guard case .asked(let sql, let arguments)? = try? SingleQuestion.run(body) else { return nil }
        return lane.query(sql, arguments, on: eventLoop).flatMapThrowing { answer in
            guard case .finished(let value) = try SingleQuestion.run(body, answer: answer.rows) else {
                throw SQLError(.other, "a second question")
            }
            return (value, answer.version)
        }
    }

    package func write<Value: Sendable>(
        _ durability: SQLDurability, _ cancellation: SQLCancellation,
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await transactions.run(.writing(durability), cancellation, body)
    }

    package var load: SQLLoad {
        let (connections, queue, reads) = (pool.load, transactions.load, lane.load)
        return SQLLoad(
            inUse: connections.inUse, idle: connections.idle, waiting: queue.waiting + reads.waiting,
            timeouts: queue.timeouts &+ reads.timeouts)
    }

    package func close() async throws {
        await transactions.close()
        await lane.close()
        pool.close()
        try await threads.shutdownGracefully()
    }

    private static func check(_ source: ConnectionSource, _ pool: PostgresPool) throws {
        let connection: PostgresConnection
        do throws(PostgresError) {
            connection = try pool.take()
        } catch {
            throw refusal(of: error, source.address)
        }
        defer { pool.giveBack(connection, isUsable: true) }
        guard connection.serverVersion >= oldestServer else {
            throw StorageError(
                .wrongStore, "The \(source.address) is PostgreSQL \(connection.serverVersion); it must be 10 or later.")
        }
        guard connection.encoding == "UTF8" else {
            throw StorageError(
                .wrongStore,
                "The \(source.address) is encoded in \(connection.encoding); create one with ENCODING 'UTF8'.")
        }
    }

    private static func refusal(of error: PostgresError, _ address: PostgresAddress) -> StorageError {
        guard error.isRefusal else {
            return StorageError(.unavailable, "The \(address) cannot be reached.", isTransient: true, cause: error)
        }
        let words =
            switch error.state {
            case "3D000": "does not exist; create it, with ENCODING 'UTF8'."
            case "42501": "does not let this user in; GRANT him CONNECT on it, and CREATE on its schema."
            default: "refuses the user or the password; see what pg_hba.conf of the server says of them."
            }
        return StorageError(.wrongStore, "The \(address) \(words)", cause: error)
    }
}
