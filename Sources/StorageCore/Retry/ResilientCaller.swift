/// Calls a service that may fail for a while: repeats what may succeed later, within limits, and leaves a dead service alone.
///
/// # Behavior
///
/// - Repeats a call only when it is replayable and failed with a ``StorageError`` whose ``StorageError/isTransient`` is true.
/// - Waits between attempts as ``RetryPolicy`` says, and never less than ``StorageError/retryAfter``.
/// - Gives up, with the latest error, after the last attempt, when the next would begin behind the deadline, when the budget that
///   all calls of the service share is spent, and when the circuit has opened meanwhile.
/// - While the circuit is open, fails at once with ``StorageError/Code/unavailable``, transient, with the time to wait for.
/// - A call is admitted once, however many requests its body makes. Each attempt counts for the circuit by what the body throws: a
///   transient error is a failure of the service; an answer, welcome or not, is none. A transient error whose cause is a
///   ``LocalShortage`` says nothing about the service: its repetitions are free, because the service was not asked.
/// - Cancellation ends the waiting and passes through; it says nothing about the service.
///
/// Copies share the budget and the circuit.
public struct ResilientCaller: Sendable {
    /// Why a call that might succeed later is not repeated.
    public enum Surrender: String, Sendable, Hashable {
        /// It cannot be repeated.
        case notReplayable = "not_replayable"
        /// It was tried as often as the policy allows.
        case attempts
        /// The next attempt would begin too late.
        case deadline
        /// The calls of this service were repeated too often already.
        case budget
        /// The service was found dead meanwhile.
        case circuit
    }

    /// The name of the service, for logs and metrics.
    public let service: String
    /// How calls are repeated.
    public let policy: RetryPolicy

    private let observer: any ResilienceObserver
    private let budget: RetryBudget
    private let circuit: CircuitBreaker
    private let now: @Sendable () -> Duration
    private let pause: @Sendable (Duration) async throws -> Void

    /// Makes a caller with a full budget and a closed circuit.
    ///
    /// - Parameters:
    ///   - service: The name of the service, for logs and metrics.
    ///   - policy: How calls are repeated.
    ///   - observer: Is told of repetitions, of what was given up and of the circuit.
    ///   - clock: What the pauses and the deadline are measured with.
    public init(
        service: String, policy: RetryPolicy = RetryPolicy(),
        observer: some ResilienceObserver = LoggingResilienceObserver(),
        clock: some Clock<Duration> = ContinuousClock()
    ) {
        self.service = service
        self.policy = policy
        self.observer = observer
        budget = RetryBudget(policy.budget)
        circuit = CircuitBreaker(policy.circuit, clock: clock) { observer.circuitChanged(of: service, to: $0) }
        let start = clock.now
        now = { start.duration(to: clock.now) }
        pause = { try await clock.sleep(for: $0) }
    }

    /// The state of the circuit at this moment.
    public var circuitState: CircuitBreaker.State { circuit.current }

    /// Calls the service, again where it makes sense.
    ///
    /// - Parameters:
    ///   - operation: The name of the call, for logs and metrics; one of few.
    ///   - isReplayable: Whether the body may run again after it failed.
    ///   - duration: How long an attempt may take although nothing is wrong: the deadline for repetitions is later by so much.
    ///   - body: Makes the requests that belong together, and is told the number of the attempt, from 1.
    public func call<T>(
        _ operation: String, isReplayable: Bool = true, lasting duration: Duration = .zero,
        _ body: (_ attempt: Int) async throws -> T
    ) async throws -> T {
        try Task.checkCancellation()
        let admission = try admit()
        budget.deposit()
        let start = now()
        var attempt = 1
        while true {
            let failure: StorageError
            do {
                let result = try await body(attempt)
                circuit.succeed(admission)
                return result
            } catch let error as StorageError where error.isTransient {
                // A failure that came after the cancellation may be its consequence.
                guard !Task.isCancelled else {
                    circuit.withdraw(admission)
                    throw error
                }
                if error.cause is any LocalShortage { circuit.withdraw(admission) } else { circuit.fail(admission) }
                failure = error
            } catch let error as StorageError {
                circuit.succeed(admission)
                throw error
            } catch {
                circuit.withdraw(admission)
                throw error
            }

            attempt += 1
            var generator = SystemRandomNumberGenerator()
            let delay = policy.delay(before: attempt, retryAfter: failure.retryAfter, using: &generator)
            let elapsed = now() - start + delay - duration
            let isFree = failure.cause is any LocalShortage
            if let reason = surrender(admission, attempt, isReplayable: isReplayable, isFree: isFree, at: elapsed) {
                observer.gaveUp(operation, of: service, attempts: attempt - 1, because: reason, error: failure)
                throw failure
            }
            observer.retried(operation, of: service, attempt: attempt, after: delay, because: failure)
            try await pause(delay)
            guard circuit.allows(admission) else {
                observer.gaveUp(operation, of: service, attempts: attempt - 1, because: .circuit, error: failure)
                throw failure
            }
        }
    }

    private func admit() throws -> CircuitBreaker.Admission {
        switch circuit.admit() {
        case .admitted(let admission): return admission
        case .refused(let pause):
            throw StorageError(
                .unavailable, "The file store cannot be reached at the moment.", isTransient: true, retryAfter: pause)
        }
    }

    /// Why there is to be no further attempt; nil when there is, which is paid for then.
    private func surrender(
        _ admission: CircuitBreaker.Admission, _ attempt: Int, isReplayable: Bool, isFree: Bool, at elapsed: Duration
    ) -> Surrender? {
        guard isReplayable else { return .notReplayable }
        guard attempt <= policy.maximumAttempts else { return .attempts }
        guard elapsed <= policy.deadline else { return .deadline }
        guard circuit.allows(admission) else { return .circuit }
        guard isFree || budget.withdraw() else { return .budget }
        return nil
    }
}
