import NIOCore
import NIOPosix
import StorageSQL
import Synchronization

/// Somebody who waits for something, but not for ever.
protocol Waiting: Sendable {
    /// Whether it still has to wait.
    var isWaiting: Bool { get }

    /// Tells it that it waits in vain, if it still waits.
    func refuse(_ error: SQLError)
}

/// Refuses those who have waited for a connection for too long.
///
/// All wait equally long, so the first to come is the first to be refused: one timer, for the one that waits longest, does for all.
final class WaitingLine<Waiter: Waiting>: Sendable {
    private struct Entry {
        let waiter: Waiter
        let deadline: NIODeadline
    }

    private struct State {
        /// In the order of their deadlines; those before `first` are done with.
        var entries: [Entry] = []
        var first = 0
        var hasTimer = false

        /// Drops those that do not wait any more.
        mutating func prune() {
            while first < entries.count, !entries[first].waiter.isWaiting { first += 1 }
            guard first > 64, first * 2 > entries.count else { return }
            entries.removeFirst(first)
            first = 0
        }
    }

    private let timeout: TimeAmount
    private let description: String
    private let state = Mutex(State())
    private let refused = Atomic<UInt64>(0)

    /// How many have waited in vain.
    var timeouts: UInt64 { refused.load(ordering: .relaxed) }

    init(timeout: Duration) {
        self.timeout = TimeAmount(timeout)
        self.description = "no connection became free within \(timeout)"
    }

    func add(_ waiter: Waiter) {
        let deadline = NIODeadline.now() + timeout
        let needsTimer = state.withLock { state in
            state.prune()
            state.entries.append(Entry(waiter: waiter, deadline: deadline))
            defer { state.hasTimer = true }
            return !state.hasTimer
        }
        if needsTimer { wake(at: deadline) }
    }

    private func wake(at deadline: NIODeadline) {
        NIOSingletons.posixEventLoopGroup.any().scheduleTask(deadline: deadline) { self.refuseLate() }
    }

    private func refuseLate() {
        let (late, next) = state.withLock { state -> ([Waiter], NIODeadline?) in
            let now = NIODeadline.now()
            var late: [Waiter] = []
            state.prune()
            while state.first < state.entries.count, state.entries[state.first].deadline <= now {
                late.append(state.entries[state.first].waiter)
                state.first += 1
            }
            state.prune()
            guard state.first < state.entries.count else {
                state = State()
                return (late, nil)
            }
            return (late, state.entries[state.first].deadline)
        }
        refused.wrappingAdd(UInt64(late.count), ordering: .relaxed)
        for waiter in late { waiter.refuse(SQLError(.busy, description)) }
        if let next { wake(at: next) }
    }
}
