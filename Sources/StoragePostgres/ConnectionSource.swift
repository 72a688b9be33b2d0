import NIOCore
import NIOPosix
import StorageCore
import StorageSQL
import Synchronization

/// Makes connections, and knows whether that works at all at the moment.
///
/// A server that restarts is waited for, as ``returns`` says. One that is away for longer is tried by one caller at a time, and the
/// others are told at once.
final class ConnectionSource: Sendable {
    private struct State {
        /// Since when no connection could be made, and when that was seen last; nil while one can.
        var failing: (since: NIODeadline, seen: NIODeadline, error: PostgresError)?
        var isBeingTried = false
        /// Which of the hosts answered last.
        var host = 0
    }

    let address: PostgresAddress
    private let repetitions: Repetitions
    private let state = Mutex(State())

    /// How long a server that restarts is waited for, and how often it is tried meanwhile.
    private static let returns: RetryPolicy = {
        var policy = RetryPolicy()
        policy.maximumAttempts = .max
        policy.baseDelay = .milliseconds(70)
        policy.maximumDelay = .milliseconds(70)
        policy.deadline = .milliseconds(2_500)
        return policy
    }()
    private static let patience = TimeAmount(returns.deadline)

    init(_ address: PostgresAddress, _ repetitions: Repetitions) {
        self.address = address
        self.repetitions = repetitions
    }

    /// Connects; blocks the thread.
    func connect(for purpose: PostgresConnection.Purpose) throws(PostgresError) -> PostgresConnection {
        let began = NIODeadline.now()
        let tries = try begin()
        do throws(PostgresError) {
            let first = state.withLock { $0.host }
            let connection = try PostgresConnection(address, first: first, for: purpose)
            state.withLock { $0 = State(host: connection.host) }
            return connection
        } catch {
            state.withLock { state in
                // A failure of long ago is none of this outage: nobody needed a connection since.
                let isOngoing = state.failing.map { $0.seen + Self.patience > began } ?? false
                state.failing = (isOngoing ? state.failing?.since ?? began : began, .now(), error)
                if tries { state.isBeingTried = false }
            }
            throw error
        }
    }

    /// Tries something again after a pause, where the server may be back by then.
    ///
    /// - Parameter error: Why it did not go this time.
    /// - Returns: Whether it is going to be tried.
    func tryLater(after error: PostgresError, _ again: @escaping @Sendable () -> Void) -> Bool {
        let mayComeBack = state.withLock { state in
            guard !error.isRefusal, let failing = state.failing else { return !error.isRefusal }
            return failing.since + Self.patience > .now()
        }
        guard mayComeBack else { return false }
        var generator = SystemRandomNumberGenerator()
        let pause = Self.returns.delay(before: 2, retryAfter: nil, using: &generator)
        repetitions.repeats(.connect, attempt: 2, after: pause, because: error)
        NIOSingletons.posixEventLoopGroup.any().scheduleTask(in: TimeAmount(pause), again)
        return true
    }

    /// - Returns: Whether the caller is the one who tries for all.
    /// - Throws: the error of the others, when the server has been away for long and somebody tries already.
    private func begin() throws(PostgresError) -> Bool {
        let (tries, error) = state.withLock { state -> (Bool, PostgresError?) in
            guard let failing = state.failing, failing.since + Self.patience < .now() else { return (false, nil) }
            if state.isBeingTried { return (false, failing.error) }
            state.isBeingTried = true
            return (true, nil)
        }
        if let error { throw error }
        return tries
    }
}
