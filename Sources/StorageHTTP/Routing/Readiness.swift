import Synchronization

/// Whether the server wants requests: a stopping one says no for a while before it stops accepting, so that a load balancer
/// sends none into a closing door.
public final class Readiness: Sendable {
    private let stopping = Atomic<Bool>(false)

    /// Begins ready.
    public init() {}

    /// Whether the server is about to stop.
    public var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// From now on the server is about to stop.
    public func stop() {
        stopping.store(true, ordering: .relaxed)
    }
}
