import StorageSQL
import Synchronization

/// A query that waits for its rows, and the one who waits for them: told exactly once.
final class PendingQuery: Waiting {
    /// What is told.
    struct Answer {
        let rows: [SQLRow]
        /// A version that the database had before the query, if that was wanted and is known.
        let version: SQLVersion?
    }

    let sql: String
    let parameters: PostgresParameters
    let wantsVersion: Bool
    private let tell: Mutex<(@Sendable (Result<Answer, any Error>) -> Void)?>

    init(
        _ sql: String, _ parameters: PostgresParameters, wantsVersion: Bool,
        tell: @escaping @Sendable (Result<Answer, any Error>) -> Void
    ) {
        self.sql = sql
        self.parameters = parameters
        self.wantsVersion = wantsVersion
        self.tell = Mutex(tell)
    }

    var isWaiting: Bool { tell.withLock { $0 != nil } }

    func refuse(_ error: SQLError) {
        finish(.failure(error))
    }

    func finish(_ outcome: Result<Answer, any Error>) {
        tell.withLock { $0.take() }?(outcome)
    }
}
