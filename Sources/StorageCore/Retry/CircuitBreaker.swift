import Synchronization

/// Keeps callers from a service that is dead, so that they learn it at once and the service can come back in peace.
///
/// Closed: everybody may ask. Open, after too many of the latest attempts failed: nobody may. Half open, when the pause is over: one may
/// try, and what comes of it closes the circuit or opens it for twice as long (M. Nygard, "Release It!"). Another may try beside one of whom
/// nothing was heard for the longest pause.
public final class CircuitBreaker: Sendable {
    /// The three states.
    public enum State: String, Sendable, Hashable {
        /// Everybody may ask.
        case closed
        /// Nobody may ask.
        case open
        /// One may try.
        case halfOpen = "half_open"
    }

    typealias Admission = CircuitState.Admission

    private let state: Mutex<CircuitState>
    private let now: @Sendable () -> Duration
    private let onChange: @Sendable (State) -> Void

    /// Makes a closed circuit.
    ///
    /// - Parameters:
    ///   - settings: When it opens, and for how long.
    ///   - clock: What the pauses are measured with.
    ///   - onChange: Called after every change of the state.
    public init(
        _ settings: RetryPolicy.Circuit = RetryPolicy.Circuit(),
        clock: some Clock<Duration> = ContinuousClock(),
        onChange: @escaping @Sendable (State) -> Void = { _ in }
    ) {
        state = Mutex(CircuitState(settings))
        let start = clock.now
        now = { start.duration(to: clock.now) }
        self.onChange = onChange
    }

    /// The state at this moment.
    public var current: State { state.withLock { $0.state } }

    /// Lets a call through, or says after how long somebody may try again.
    func admit() -> CircuitState.Decision {
        change { $0.admit(at: now()) }
    }

    /// Whether an admitted call may be repeated.
    func allows(_ admission: Admission) -> Bool {
        state.withLock { $0.allows(admission) }
    }

    /// Notes that the service answered.
    func succeed(_ admission: Admission) {
        change { $0.succeed(admission) }
    }

    /// Notes that the service failed.
    func fail(_ admission: Admission) {
        change { $0.fail(admission, at: now()) }
    }

    /// Notes that the service failed somebody earlier, which counts in a closed circuit only.
    func failWhileClosed(_ admission: Admission) {
        change { $0.failWhileClosed(admission, at: now()) }
    }

    /// Notes that a call ended without saying anything about the service.
    func withdraw(_ admission: Admission) {
        change { $0.withdraw(admission) }
    }

    private func change<T>(_ body: (inout CircuitState) -> T) -> T {
        let (result, changed) = state.withLock { state in
            let former = state.state
            let result = body(&state)
            return (result, state.state == former ? nil : state.state)
        }
        if let changed { onChange(changed) }
        return result
    }
}
