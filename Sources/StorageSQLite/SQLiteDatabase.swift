import GRDB
import NIOPosix
package import StorageSQL

/// SQLite behind the metadata store: one writing connection with group commit, several reading ones.
///
/// # Behavior
///
/// - Write-ahead log, `synchronous=FULL`, foreign keys enforced; the files are readable by their owner only.
/// - Reads are consistent snapshots that neither wait for the writer nor delay it; see ``ReadQueue``.
/// - Writes that wait together are committed together; see ``WriteQueue``.
/// - Another process may use the same file beside this one: each waits up to the busy timeout for the other's transaction.
package struct SQLiteDatabase: SQLDatabase {
    /// How a database is opened.
    package struct Options: Sendable {
        /// How many connections serve reads.
        package var readers = 4
        /// How long a transaction waits for one of another process.
        package var busyTimeout: Duration = .seconds(5)
        /// How many reads, and how many writes, may wait before more are refused as busy.
        package var waiting = 10_000
        /// How many bodies one transaction may hold.
        package var largestBatch = 128
        /// Whether a file that is missing is made, and an empty one becomes ours. Otherwise they are refused and left alone.
        package var createsFile = true

        package init() {}
    }

    private let database: any DatabaseWriter
    private let reads: ReadQueue
    private let writes: WriteQueue
    private let index: LogIndex?

    /// - Parameter index: The index of the log, where there is one.
    init(_ database: any DatabaseWriter, _ options: Options, index: LogIndex? = nil) {
        self.database = database
        self.index = index
        self.reads = ReadQueue(reader: database, connections: options.readers, limit: options.waiting)
        self.writes = WriteQueue(writer: database, limit: options.waiting, largestBatch: options.largestBatch)
    }

    package var dialect: SQLDialect { .sqlite }

    package var version: SQLVersion? { index?.version }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            reads.enqueue(
                PendingRead(
                    attempt: { session in
                        let value = try body(session)
                        return { continuation.resume(returning: value) }
                    },
                    fail: { continuation.resume(throwing: $0) }))
        }
    }

    /// A cancelled caller waits like any other: a transaction takes less time than to find and stop it.
    package func write<Value: Sendable>(
        _ durability: SQLDurability, _ cancellation: SQLCancellation,
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            writes.enqueue(
                PendingWrite(
                    durability: durability,
                    attempt: { session in
                        let value = try body(session)
                        return { continuation.resume(returning: value) }
                    },
                    fail: { continuation.resume(throwing: $0) }))
        }
    }

    package var load: SQLLoad { SQLLoad(waiting: reads.waiting + writes.waiting) }

    /// Finishes what is under way, moves the log into the database file as far as others let it, and closes all connections.
    ///
    /// What they hold up stays in the log, where it is as safe.
    package func close() async throws {
        await writes.close()
        await reads.close()
        // Closing waits for threads of GRDB and must not block one of the cooperative pool.
        try await NIOThreadPool.singleton.runIfActive { try closeConnections() }
    }

    private func closeConnections() throws {
        index?.close()
        do {
            try database.writeWithoutTransaction { connection in
                guard connection.sqliteConnection != nil else { return }
                do {
                    try connection.checkpoint(.passive)
                } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                    // Another process does the same at this moment.
                }
            }
            try database.close()
        } catch {
            throw SQLError(grdb: error)
        }
    }
}

extension SQLDialect {
    /// SQLite 3.37 and later.
    static let sqlite = SQLDialect(
        name: "sqlite",
        // SQLite's clock has milliseconds, and a Julian day as a double is exact to 40 µs: rounding to milliseconds gives the
        // clock's own value. It is the same in a whole statement.
        now: "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)",
        forUpdate: "",
        forNoKeyUpdate: "",
        forShare: "",
        forKeyShare: "",
        skipLocked: "",
        place: { "instr(\($1), \($0))" },
        // The standard's own words came with 3.39.
        isDistinct: "IS NOT",
        tableLookup: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
        // BEGIN IMMEDIATE keeps every other writer out.
        migrationLock: nil,
        accountLock: nil,
        writeBarrier: .rowTriggers)
}
