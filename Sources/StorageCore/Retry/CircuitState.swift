/// What a circuit breaker knows: pure, with the time as a number that its owner tells.
struct CircuitState {
    /// The right to ask the service once; of no worth after the circuit has changed.
    struct Admission: Sendable, Hashable {
        fileprivate let era: Int
    }

    /// The answer to somebody who wants to ask.
    enum Decision: Equatable {
        case admitted(Admission)
        /// With how long it will take until somebody may try.
        case refused(Duration)
    }

    private enum Phase {
        case closed
        case open(until: Duration)
        /// One may try; since when somebody does.
        case halfOpen(probedSince: Duration?)
    }

    private let settings: RetryPolicy.Circuit
    private var phase = Phase.closed
    /// Counts the changes of the phase: what began in an earlier one says nothing about this one.
    private var era = 0
    private var pause: Duration
    /// A ring of the latest outcomes, true for a failure.
    private var outcomes: [Bool] = []
    private var next = 0
    private var failures = 0

    init(_ settings: RetryPolicy.Circuit) {
        self.settings = settings
        pause = settings.pause
    }

    /// The phase for observers.
    var state: CircuitBreaker.State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// Lets a call through, or refuses it.
    mutating func admit(at now: Duration) -> Decision {
        switch phase {
        case .closed:
            return .admitted(Admission(era: era))
        case .open(let end):
            guard now >= end else { return .refused(end - now) }
            enter(.halfOpen(probedSince: now))
            return .admitted(Admission(era: era))
        case .halfOpen(let start):
            // How long the probe takes nobody knows; the shortest pause is a fair guess. One that takes very long, such as a large upload,
            // or that never ends keeps nobody else from trying beside it.
            if let start, now - start < longestPause { return .refused(settings.pause) }
            phase = .halfOpen(probedSince: now)
            return .admitted(Admission(era: era))
        }
    }

    /// Whether an admitted call may go on: not after others have found the service dead.
    func allows(_ admission: Admission) -> Bool {
        if case .closed = phase { return true }
        return admission.era == era
    }

    /// Notes that the service answered.
    mutating func succeed(_ admission: Admission) {
        guard admission.era == era else { return }
        switch phase {
        case .closed: record(isFailure: false)
        case .open: break
        case .halfOpen:
            pause = settings.pause
            enter(.closed)
        }
    }

    /// Notes that the service failed.
    mutating func fail(_ admission: Admission, at now: Duration) {
        guard admission.era == era else { return }
        switch phase {
        case .closed:
            record(isFailure: true)
            let share = Double(failures) / Double(max(1, outcomes.count))
            guard failures >= max(1, settings.minimumFailures), share >= settings.failureRatio else { return }
            enter(.open(until: now + pause))
        case .open: break
        case .halfOpen:
            pause = min(pause * 2, longestPause)
            enter(.open(until: now + pause))
        }
    }

    /// Notes a failure of something that was admitted earlier. It says nothing about a service that was found dead since, and is not what the
    /// probe came to.
    mutating func failWhileClosed(_ admission: Admission, at now: Duration) {
        guard case .closed = phase else { return }
        fail(admission, at: now)
    }

    /// Notes that a call ended without saying anything about the service, such as by being cancelled: another may try in its place.
    mutating func withdraw(_ admission: Admission) {
        guard admission.era == era, case .halfOpen = phase else { return }
        phase = .halfOpen(probedSince: nil)
    }

    private var longestPause: Duration { max(settings.pause, settings.maximumPause) }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        era += 1
        outcomes.removeAll(keepingCapacity: true)
        next = 0
        failures = 0
    }

    private mutating func record(isFailure: Bool) {
        if isFailure { failures += 1 }
        guard outcomes.count >= max(1, settings.window) else {
            outcomes.append(isFailure)
            return
        }
        if outcomes[next] { failures -= 1 }
        outcomes[next] = isFailure
        next = (next + 1) % outcomes.count
    }
}
