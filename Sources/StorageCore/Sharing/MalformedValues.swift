import Logging
import Metrics
import Synchronization

/// Counts values of a shared cache that are not what they should be, and says so at most once a minute.
final class MalformedValues: Sendable {
    private static let pause = Duration.seconds(60)

    private let counter = Counter(label: "storage_cache_malformed_total")
    private let logger = Logger(label: "storage.cache")
    private let state = Mutex<(last: ContinuousClock.Instant?, silent: Int)>((nil, 0))

    func add() {
        counter.increment()
        let now = ContinuousClock.now
        let unsaid = state.withLock { state -> Int? in
            if let last = state.last, last.duration(to: now) < Self.pause {
                state.silent += 1
                return nil
            }
            defer { state = (now, 0) }
            return state.silent
        }
        guard let unsaid else { return }
        logger.warning(
            "the shared cache has a value that is not right; it is not believed", metadata: ["others": "\(unsaid)"])
    }
}
