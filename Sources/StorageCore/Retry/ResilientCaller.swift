/// Calls a service that may fail for a while: repeats what may succeed later, within limits, and leaves a dead service alone.
///
/// # Behavior
///
/// - Repeats a call only when it is replayable and failed with a ``StorageError`` whose ``StorageError/isTransient`` is true.
/// - Waits between attempts as ``RetryPolicy`` says, and never less than ``StorageError/retryAfter``.
/// - Gives up, with the latest error, after the last attempt, when the next would begin behind the deadline, when the budget that
///   all calls of the service share is spent, and when the circuit has opened meanwhile. All pauses of a call together are never longer
///   than the deadline, however long its attempts may take.
/// - While the circuit is open, fails at once with ``StorageError/Code/unavailable``, transient, with the time to wait for.
/// - A call is admitted once, however many requests its body makes. Each attempt counts for the circuit by what the body throws: a
///   transient error is a failure of the service; an answer, welcome or not, is none. A shortage in this process says nothing about
///   the service: its repetitions are free, because the service was not asked.
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
    ///   - duration: How long the attempts together may take although nothing is wrong: the deadline for repetitions is later by so much
    ///     of the time that they took. Waiting is never forgiven.
    ///   - failure: What an earlier attempt failed with after its call had returned, such as that of a stream that broke off while it was
    ///     read: a transient one. The body makes a repetition then from the first time on, which waits, is numbered and is paid for as
    ///     any other.
    ///   - body: Makes the requests that belong together, and is told the number of the attempt, from 1.
    public func call<T>(
        _ operation: String, isReplayable: Bool = true, lasting duration: Duration = .zero,
        after failure: StorageError? = nil, _ body: (_ attempt: Int) async throws -> T
    ) async throws -> T {
        try Task.checkCancellation()
        let admission = try admit()
        var course = Course(operation: operation, isReplayable: isReplayable, allowance: duration)
        if let failure {
            if !(failure.cause is any LocalShortage) { circuit.failWhileClosed(admission) }
            do {
                try await prepareRepetition(of: &course, admission, after: failure)
            } catch {
                circuit.withdraw(admission)
                throw error
            }
        } else {
            budget.deposit()
        }
        while true {
            let start = now()
            let failure: StorageError
            do {
                let result = try await body(course.attempt)
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
            course.asked += now() - start
            try await prepareRepetition(of: &course, admission, after: failure)
        }
    }

    /// What became of a call so far.
    private struct Course {
        let operation: String
        let isReplayable: Bool
        /// How much of the time in attempts does not count.
        let allowance: Duration
        /// The number of the attempt that is made or waited for.
        var attempt = 1
        var asked: Duration = .zero
        var waited: Duration = .zero

        /// What the deadline is compared with. A call that takes long is no reason to wait long.
        var elapsed: Duration { waited + max(.zero, asked - allowance) }
    }

    /// Waits until the next attempt may be made; where there is to be none, throws what the latest failed with.
    private func prepareRepetition(
        of course: inout Course, _ admission: CircuitBreaker.Admission, after failure: StorageError
    ) async throws {
        course.attempt += 1
        var generator = SystemRandomNumberGenerator()
        let delay = policy.delay(before: course.attempt, retryAfter: failure.retryAfter, using: &generator)
        course.waited += delay
        let isFree = failure.cause is any LocalShortage
        if let reason = surrender(course, admission, isFree: isFree) {
            gaveUp(course, because: reason, failure)
            throw failure
        }
        observer.retried(
            course.operation, of: service, attempt: course.attempt, after: delay, because: failure)
        try await pause(delay)
        guard circuit.allows(admission) else {
            gaveUp(course, because: .circuit, failure)
            throw failure
        }
    }

    private func gaveUp(_ course: Course, because reason: Surrender, _ failure: StorageError) {
        observer.gaveUp(
            course.operation, of: service, attempts: course.attempt - 1, because: reason, error: failure)
    }

    private func admit() throws -> CircuitBreaker.Admission {
        switch circuit.admit() {
        case .admitted(let admission): return admission
        case .refused(let pause):
            throw StorageError(
                .unavailable, "The server cannot reach a service that it needs at the moment.", isTransient: true,
                retryAfter: pause)
        }
    }

    /// Why there is to be no further attempt; nil when there is, which is paid for then.
    private func surrender(_ course: Course, _ admission: CircuitBreaker.Admission, isFree: Bool) -> Surrender? {
        guard course.isReplayable else { return .notReplayable }
        guard course.attempt <= policy.maximumAttempts else { return .attempts }
        guard course.elapsed <= policy.deadline else { return .deadline }
        guard circuit.allows(admission) else { return .circuit }
        guard isFree || budget.withdraw() else { return .budget }
        return nil
    }
}
