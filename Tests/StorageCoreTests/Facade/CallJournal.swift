import Synchronization

/// What reached the stores below a facade, in the order in which it began.
final class CallJournal: Sendable {
    enum Call: Hashable, Sendable {
        case stage
        case publish
        case discard
        case open
        case info
        case remove
        case claim
        case renew
        case abandon
        case outcome
        case commit
        case settle
        case openContainer
    }

    private let entries = Mutex<[Call]>([])

    var calls: [Call] { entries.withLock { $0 } }

    func note(_ call: Call) {
        entries.withLock { $0.append(call) }
    }

    func count(_ call: Call) -> Int {
        calls.count { $0 == call }
    }

    func clear() {
        entries.withLock { $0.removeAll() }
    }
}
