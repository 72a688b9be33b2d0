import StorageSQL
import Synchronization

/// A query that waits for its rows, and the one who waits for them: told exactly once.
final class PendingQuery: Waiting {
    let sql: String
    let parameters: PostgresParameters
    private let tell: Mutex<(@Sendable (Result<[SQLRow], any Error>) -> Void)?>

    init(
        _ sql: String, _ parameters: PostgresParameters,
        tell: @escaping @Sendable (Result<[SQLRow], any Error>) -> Void
    ) {
        self.sql = sql
        self.parameters = parameters
        self.tell = Mutex(tell)
    }

    var isWaiting: Bool { tell.withLock { $0 != nil } }

    func refuse(_ error: SQLError) {
        finish(.failure(error))
    }

    func finish(_ outcome: Result<[SQLRow], any Error>) {
        tell.withLock { $0.take() }?(outcome)
    }
}
