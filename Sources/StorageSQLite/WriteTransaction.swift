import GRDB
import StorageSQL
import Synchronization

/// Runs bodies in transactions on the writing connection; used on its thread only.
final class WriteTransaction: Sendable {
    /// Tells a caller what became of its body.
    private typealias Answer = @Sendable () -> Void

    /// What outlives a transaction.
    private struct Log {
        /// Whether `PRAGMA synchronous` is FULL at present, as it is when the connection is handed over.
        var isSynced = true
        /// Set for good when a sync of the log failed. The system reports that once and may drop what it could not write: a later
        /// sync would succeed over a hole, and recovery would end there. Opening anew checks the log frame by frame.
        var isBroken = false
    }

    private let log = Mutex(Log())

    /// Runs bodies in one transaction, each in a savepoint when there are several, and tells all callers.
    func run(_ writes: [PendingWrite], on database: Database) {
        if let answers = answers(to: writes, on: database) {
            for answer in answers { answer() }
            return
        }
        for write in writes {
            let answers = answers(to: [write], on: database) ?? [{ write.fail(Self.lost) }]
            for answer in answers { answer() }
        }
    }

    /// - Returns: nil when SQLite has ended the transaction and the bodies may succeed alone.
    private func answers(to writes: [PendingWrite], on database: Database) -> [Answer]? {
        do {
            let session = try begin(synced: writes.contains { $0.durability == .durable }, on: database)
            var answers: [Answer] = []
            var hasSuccess = false
            for write in writes {
                guard let outcome = attempt(write, in: session, isAlone: writes.count == 1) else {
                    session.rollBack()
                    return nil
                }
                switch outcome {
                case .success(let answer):
                    hasSuccess = true
                    answers.append(answer)
                case .failure(let error):
                    answers.append { write.fail(error) }
                }
            }
            if hasSuccess { try commit(session) } else { session.rollBack() }
            return answers
        } catch {
            return writes.map { write in { write.fail(error) } }
        }
    }

    private func begin(synced: Bool, on database: Database) throws -> SQLiteSession {
        let session = try SQLiteSession(database, .writing)
        try log.withLock { log in
            guard !log.isBroken else {
                throw SQLError(
                    .unreachable, "a sync of the log failed: nothing is written until the database is opened anew")
            }
            guard log.isSynced != synced else { return }
            try session.pragma(synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
            log.isSynced = synced
        }
        try session.control(.beginWriting)
        return session
    }

    /// Runs one body.
    ///
    /// - Returns: nil when the transaction of a batch is lost. A body alone has failed then.
    private func attempt(
        _ write: PendingWrite, in session: SQLiteSession, isAlone: Bool
    ) -> Result<Answer, any Error>? {
        do {
            if !isAlone { try session.control(.savepoint) }
            let answer = try write.attempt(session)
            // A body may have let an error pass that ended the transaction.
            guard session.isUnderWay else { return isAlone ? .failure(session.failure ?? Self.lost) : nil }
            if !isAlone { try session.control(.release) }
            return .success(answer)
        } catch {
            if isAlone { return .failure(error) }
            guard session.isUnderWay, session.revert() else { return nil }
            return .failure(error)
        }
    }

    private func commit(_ session: SQLiteSession) throws {
        do {
            try session.commit()
        } catch let failure as SQLiteCommitError {
            if failure.isSyncFailure {
                log.withLock { $0.isBroken = true }
            }
            throw failure.error
        }
    }

    private static let lost = SQLError(.other, "the transaction is over")
}
