import Dispatch
import Synchronization

/// Holds a body on its database thread until the test opens it.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let reached = Mutex<(isReached: Bool, waiting: CheckedContinuation<Void, Never>?)>((false, nil))

    /// Called by the body: blocks.
    func pass() {
        let waiting = reached.withLock { state in
            state.isReached = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
        opened.wait()
        opened.signal()
    }

    /// Returns once a body stands at the gate.
    func isReached() async {
        await withCheckedContinuation { continuation in
            let isReached = reached.withLock { state in
                if !state.isReached { state.waiting = continuation }
                return state.isReached
            }
            if isReached { continuation.resume() }
        }
    }

    func open() {
        opened.signal()
    }
}
