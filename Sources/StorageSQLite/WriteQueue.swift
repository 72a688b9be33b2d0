import GRDB
import StorageSQL

/// A body that waits to be run in a transaction, and the one who waits for it.
struct PendingWrite: Sendable {
    let durability: SQLDurability
    /// Runs the body once. What it returns hands its value to the caller: to be called once the transaction is committed.
    let attempt: @Sendable (any SQLSession) throws -> @Sendable () -> Void
    /// Tells the caller of failure.
    let fail: @Sendable (any Error) -> Void
}

/// Group commit: bodies that wait together become one transaction, so that one sync serves them all.
///
/// # Behavior
///
/// - While a commit is under way, what arrives waits; the next transaction takes all of it, in order, up to a bound.
/// - Each body has a savepoint of its own: one that throws takes nothing with it but its own changes.
/// - Nobody is told anything before the outer COMMIT has returned, not even a body that failed: what made it fail may have been
///   a change of the same batch. A failed COMMIT fails all.
/// - When SQLite has ended the transaction by itself (a full disk does that), every body is run again alone.
/// - A batch of relaxed bodies is not synced; one durable body makes the whole batch, and all before it, durable.
struct WriteQueue: Sendable {
    private let writer: any DatabaseWriter
    private let queue: JobQueue<PendingWrite>
    private let largestBatch: Int
    private let transaction = WriteTransaction()

    /// - Parameters:
    ///   - writer: a database whose writing connection has `synchronous=FULL`
    ///   - limit: how many bodies may wait
    ///   - largestBatch: how many bodies one transaction may hold: a bound on what one failure repeats
    init(writer: any DatabaseWriter, limit: Int, largestBatch: Int) {
        self.writer = writer
        self.queue = JobQueue(workers: 1, limit: limit)
        self.largestBatch = largestBatch
    }

    /// How many bodies wait.
    var waiting: Int { queue.waiting }

    /// Puts a body at the end of the queue; its caller is told in any case, exactly once.
    func enqueue(_ write: PendingWrite) {
        switch queue.admit(write) {
        case .waits: break
        case .starts: drain()
        case .refused(let error): write.fail(error)
        }
    }

    /// Refuses what comes from now on and returns when everything that waited is done.
    func close() async {
        await queue.close()
    }

    /// One batch for each turn on the writer's thread, which an in-memory database shares with its readers.
    private func drain() {
        writer.asyncWriteWithoutTransaction { database in
            transaction.run(queue.next(largestBatch), on: database)
            if !queue.retires() { drain() }
        }
    }
}
