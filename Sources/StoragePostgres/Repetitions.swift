import StorageCore
import StorageSQL

/// Tells of what is repeated and given up here as it is told of every other service.
struct Repetitions: Sendable {
    /// What is repeated.
    enum Operation: String {
        case connect
        case query
        case transaction
    }

    private static let service = "postgres"

    private let observer: any ResilienceObserver

    init(_ observer: any ResilienceObserver) {
        self.observer = observer
    }

    /// So many operations, which failed together, are going to be tried again.
    func repeats(
        _ operation: Operation, count: Int = 1, attempt: Int, after delay: Duration = .zero, because error: any Error
    ) {
        for _ in 0..<count {
            observer.retried(
                operation.rawValue, of: Self.service, attempt: attempt, after: delay, because: Self.shown(error))
        }
    }

    /// An operation was tried as often as it may be.
    func givesUp(_ operation: Operation, attempts: Int, because error: any Error) {
        observer.gaveUp(
            operation.rawValue, of: Self.service, attempts: attempts, because: .attempts, error: Self.shown(error))
    }

    private static func shown(_ error: any Error) -> StorageError {
        switch error {
        case let error as StorageError: error
        case let error as SQLError: StorageError(error)
        case let error as PostgresError: StorageError(SQLError(error))
        default: StorageError(.internal, "The transaction failed.", cause: error)
        }
    }
}
