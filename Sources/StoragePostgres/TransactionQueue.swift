import NIOCore
import NIOPosix
import StorageCore
import StorageSQL

/// Runs transactions, as many at a time as the pool has connections; the others wait, first come, first served.
///
/// # Behavior
///
/// - A transaction that met another in a way that a second run may avoid, a serialization failure or a deadlock, runs again after a
///   short pause of random length: its caller does not see it.
/// - One whose connection is lost before its COMMIT runs again on another connection: nothing of it can have stayed.
/// - One whose COMMIT was not answered has an unknown outcome.
final class TransactionQueue: Sendable {
    private let source: ConnectionSource
    private let pool: PostgresPool
    private let threads: NIOThreadPool
    private let queue: JobQueue<PendingTransaction>
    private let waiting: WaitingLine<PendingTransaction>
    private let repetitions: Repetitions

    /// How transactions that met others run again.
    private static let collisions: RetryPolicy = {
        var policy = RetryPolicy()
        policy.maximumAttempts = 6
        policy.baseDelay = .milliseconds(4)
        return policy
    }()
    private static let losses = 2

    init(
        _ source: ConnectionSource, _ pool: PostgresPool, _ options: PostgresPool.Options,
        _ repetitions: Repetitions, threads: NIOThreadPool
    ) {
        self.source = source
        self.repetitions = repetitions
        self.pool = pool
        self.threads = threads
        self.queue = JobQueue(workers: options.connections, limit: options.waiting)
        self.waiting = WaitingLine(timeout: options.timeout)
    }

    /// Runs a body in a transaction and returns what it returned, after the commit.
    func run<Value: Sendable>(
        _ access: PostgresSession.Access, _ cancellation: SQLCancellation,
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        let caller = Caller()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let transaction = PendingTransaction(
                    access: access,
                    attempt: { session in
                        let value = try body(session)
                        return { continuation.resume(returning: value) }
                    },
                    fail: { continuation.resume(throwing: $0) })
                caller.waits { transaction.cancel() }
                waiting.add(transaction)
                enqueue(transaction)
            }
        } onCancel: {
            if cancellation == .ends { caller.leaves() }
        }
    }

    /// How many wait, and how many have waited in vain.
    var load: (waiting: Int, timeouts: UInt64) { (queue.waiting, waiting.timeouts) }

    /// Refuses what comes from now on and returns when everything that waited is done.
    func close() async {
        await queue.close()
    }

    private func enqueue(_ transaction: PendingTransaction) {
        switch queue.admit(transaction) {
        case .waits: break
        case .starts: threads.submit { _ in self.serve() }
        case .refused(let error): transaction.fail(with: error)
        }
    }

    private func serve() {
        repeat {
            while let transaction = queue.next() { run(transaction) }
        } while !queue.retires()
    }

    /// What came of one run on one connection.
    private enum Outcome {
        case succeeded(@Sendable () -> Void)
        case failed(any Error)
        /// It met another transaction.
        case collided(any Error)
        /// The connection went away, and with it everything that the transaction had done.
        case disconnected(any Error)
    }

    private func run(_ transaction: PendingTransaction) {
        guard transaction.isWaiting else { return }
        let connection: PostgresConnection
        do throws(PostgresError) {
            connection = try pool.take()
        } catch {
            let waits = source.tryLater(after: error) { self.enqueue(transaction) }
            return waits ? () : transaction.fail(with: SQLError(error))
        }
        guard transaction.runs(on: connection) else { return pool.giveBack(connection, isUsable: true) }
        let (outcome, isUsable) = attempt(transaction, on: connection)
        // A request to end a statement may still be on its way: it must not find another transaction's.
        let wasCancelled = transaction.leavesConnection()
        pool.giveBack(connection, isUsable: isUsable && !wasCancelled)
        switch outcome {
        case .succeeded(let deliver): transaction.succeed(deliver)
        case .failed(let error): transaction.fail(with: error)
        case .collided(let error):
            let next = transaction.collided() + 1
            guard mayRepeat(transaction, attempt: next, of: Self.collisions.maximumAttempts, after: error) else {
                return
            }
            var generator = SystemRandomNumberGenerator()
            let pause = Self.collisions.delay(before: next, retryAfter: nil, using: &generator)
            repetitions.repeats(.transaction, attempt: next, after: pause, because: error)
            NIOSingletons.posixEventLoopGroup.any().scheduleTask(in: TimeAmount(pause)) { self.enqueue(transaction) }
        case .disconnected(let error):
            let next = transaction.lostConnection() + 1
            guard mayRepeat(transaction, attempt: next, of: 1 + Self.losses, after: error) else { return }
            repetitions.repeats(.transaction, attempt: next, because: error)
            run(transaction)
        }
    }

    /// Whether a transaction runs again; one that does not has failed.
    private func mayRepeat(
        _ transaction: PendingTransaction, attempt: Int, of most: Int, after error: any Error
    ) -> Bool {
        if attempt > most {
            repetitions.givesUp(.transaction, attempts: most, because: error)
        } else if transaction.waitsAgain() {
            return true
        }
        transaction.fail(with: error)
        return false
    }

    private func attempt(
        _ transaction: PendingTransaction, on connection: PostgresConnection
    ) -> (outcome: Outcome, isUsable: Bool) {
        let session = PostgresSession(connection, transaction.access)
        let deliver: @Sendable () -> Void
        do {
            try session.begin()
            deliver = try transaction.attempt(session)
            guard transaction.commits() else { throw CancellationError() }
        } catch {
            return undoing(error, session, connection)
        }
        if transaction.access.isReading { return (.succeeded(deliver), session.rollBack()) }
        switch session.commit() {
        case .committed:
            return (.succeeded(deliver), session.failure == nil)
        case .failed(let error):
            return undoing(SQLError(error), session, connection)
        case .unknown(let error):
            return (.failed(SQLError(.outcomeUnknown, "COMMIT: \(error)")), false)
        }
    }

    /// What came of a transaction that did not get as far as its COMMIT.
    private func undoing(
        _ error: any Error, _ session: PostgresSession, _ connection: PostgresConnection
    ) -> (outcome: Outcome, isUsable: Bool) {
        // One that fell silent has taken as long as a caller can wait.
        if connection.fellSilent { return (.failed(error), false) }
        if connection.isLost || session.failure?.endsConnection ?? false { return (.disconnected(error), false) }
        let isUsable = session.rollBack()
        return (session.failure?.isPassing ?? false ? .collided(error) : .failed(error), isUsable)
    }
}
