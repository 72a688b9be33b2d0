import StorageSQL
import Synchronization

/// A transaction that waits for its turn or runs, and the one who waits for it: told exactly once.
final class PendingTransaction: Waiting {
    private enum Phase {
        case waiting
        case running(StatementCancellation)
        /// Its caller has left; what runs is on its way to an end.
        case cancelled
        /// From here on nothing stops it.
        case committing
        case over
    }

    let access: PostgresSession.Access
    /// Runs the body once. What it returns hands its value to the caller.
    let attempt: @Sendable (any SQLSession) throws -> @Sendable () -> Void
    private let fail: @Sendable (any Error) -> Void
    private let phase = Mutex(Phase.waiting)

    private let collisions = Atomic(0)
    private let losses = Atomic(0)

    init(
        access: PostgresSession.Access,
        attempt: @escaping @Sendable (any SQLSession) throws -> @Sendable () -> Void,
        fail: @escaping @Sendable (any Error) -> Void
    ) {
        self.access = access
        self.attempt = attempt
        self.fail = fail
    }

    var isWaiting: Bool {
        phase.withLock { if case .waiting = $0 { true } else { false } }
    }

    /// It runs on a connection from now on; false when nobody waits for it any more.
    func runs(on connection: PostgresConnection) -> Bool {
        phase.withLock { phase in
            switch phase {
            case .waiting:
                phase = .running(connection.cancellation)
                return true
            case .running, .cancelled, .committing, .over: return false
            }
        }
    }

    /// It has no connection from now on whose statement could be ended.
    ///
    /// - Returns: Whether somebody has asked to end one.
    func leavesConnection() -> Bool {
        phase.withLock { phase in
            switch phase {
            case .running:
                phase = .waiting
                return false
            case .cancelled: return true
            case .waiting, .committing, .over: return false
            }
        }
    }

    /// It commits now; false when its caller has left before.
    func commits() -> Bool {
        phase.withLock { phase in
            guard case .running = phase else { return false }
            phase = .committing
            return true
        }
    }

    /// It met another transaction; how often, with this time.
    func collided() -> Int { collisions.add(1, ordering: .relaxed).newValue }

    /// Its connection went away; how often, with this time.
    func lostConnection() -> Int { losses.add(1, ordering: .relaxed).newValue }

    /// Nothing of it stays, and it waits for another run; false when its caller has left.
    func waitsAgain() -> Bool {
        phase.withLock { phase in
            switch phase {
            case .waiting, .running, .committing:
                phase = .waiting
                return true
            case .cancelled, .over: return false
            }
        }
    }

    /// It is over, well.
    func succeed(_ deliver: @Sendable () -> Void) {
        if ends() { deliver() }
    }

    /// It is over, badly.
    func fail(with error: any Error) {
        var wasCancelled = false
        let tells = phase.withLock { phase in
            switch phase {
            case .over: return false
            case .cancelled: wasCancelled = true
            case .waiting, .running, .committing: break
            }
            phase = .over
            return true
        }
        if tells { fail(wasCancelled ? CancellationError() : error) }
    }

    /// Refuses it if it still waits.
    func refuse(_ error: SQLError) {
        let refuses = phase.withLock { phase in
            guard case .waiting = phase else { return false }
            phase = .over
            return true
        }
        if refuses { fail(error) }
    }

    /// Its caller is gone: it does not start, or its statement is ended.
    func cancel() {
        let (tells, running) = phase.withLock { phase -> (Bool, StatementCancellation?) in
            switch phase {
            case .waiting:
                phase = .over
                return (true, nil)
            case .running(let cancellation):
                phase = .cancelled
                return (false, cancellation)
            case .cancelled, .committing, .over:
                return (false, nil)
            }
        }
        if tells { fail(CancellationError()) }
        running?.request()
    }

    private func ends() -> Bool {
        phase.withLock { phase in
            if case .over = phase { return false }
            phase = .over
            return true
        }
    }
}
