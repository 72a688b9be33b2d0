import StorageCore
import Synchronization

/// Tells what becomes of calls of a bucket once it is open; before, the start itself says what it waits for.
final class BucketObserver: ResilienceObserver {
    private let base = LoggingResilienceObserver()
    private let isOpen = Atomic<Bool>(false)

    private var told: LoggingResilienceObserver? { isOpen.load(ordering: .relaxed) ? base : nil }

    /// From now on everything is told.
    func begin() {
        isOpen.store(true, ordering: .relaxed)
    }

    func retried(
        _ operation: String, of service: String, attempt: Int, after delay: Duration, because error: StorageError
    ) {
        told?.retried(operation, of: service, attempt: attempt, after: delay, because: error)
    }

    func gaveUp(
        _ operation: String, of service: String, attempts: Int, because reason: ResilientCaller.Surrender,
        error: StorageError
    ) {
        told?.gaveUp(operation, of: service, attempts: attempts, because: reason, error: error)
    }

    func circuitChanged(of service: String, to state: CircuitBreaker.State) {
        told?.circuitChanged(of: service, to: state)
    }
}
