import Synchronization

/// The link between a task and what it waits for, whichever is there first: the end of the task, or what is to be ended with it.
final class Caller: Sendable {
    private enum State {
        case idle
        case waiting(end: @Sendable () -> Void)
        case left
    }

    private let state = Mutex(State.idle)

    /// From now on the task waits for something, which `end` ends.
    func waits(_ end: @escaping @Sendable () -> Void) {
        let hasLeft = state.withLock { state in
            if case .left = state { return true }
            state = .waiting(end: end)
            return false
        }
        if hasLeft { end() }
    }

    /// The task was cancelled.
    func leaves() {
        let end = state.withLock { state -> (@Sendable () -> Void)? in
            defer { state = .left }
            if case .waiting(let end) = state { return end }
            return nil
        }
        end?()
    }
}
