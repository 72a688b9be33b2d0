import NIOCore
import StorageCore

/// Whether Redis is asked at all: pure, so that its owner says when time has passed.
///
/// After three failures in a row nobody asks, and it is tried behind everybody's back, after the pauses of ``trials``. One that answers is
/// asked again; for one that soon fails again they go on from where they were.
struct CacheHealth: Equatable {
    private static let mostFailures = 3
    /// When it is tried: after a tenth of a second at most, then after twice that each time, up to half a minute.
    static let trials: RetryPolicy = {
        var policy = RetryPolicy()
        policy.maximumAttempts = .max
        policy.baseDelay = .milliseconds(100)
        policy.maximumDelay = .seconds(30)
        return policy
    }()
    /// As many answers in a row make it as good as new.
    private static let trusted = 100
    private static let betweenComplaints = TimeAmount.minutes(1)

    private var failures = 0
    private var successes = 0
    /// The number of the attempt to come, as ``RetryPolicy`` counts.
    private var attempt = 2
    /// When it was last said that something is refused.
    private var complained: NIODeadline?
    /// Whether questions may be asked.
    private(set) var isAsked = true

    /// Notes an answer.
    mutating func succeed() {
        guard isAsked else { return }
        failures = 0
        if successes < Self.trusted { successes += 1 } else { attempt = 2 }
    }

    /// Notes a question without an answer; returns the number of the attempt to make, where that was one too many.
    mutating func fail() -> Int? {
        guard isAsked else { return nil }
        successes = 0
        failures += 1
        guard failures >= Self.mostFailures else { return nil }
        isAsked = false
        return nextAttempt()
    }

    /// Notes what a try came to; returns the number of the attempt to make, where there was no answer.
    mutating func tried(isAlive: Bool) -> Int? {
        guard isAlive else { return nextAttempt() }
        (failures, successes, isAsked) = (0, 0, true)
        return nil
    }

    /// Notes that Redis did not take something; returns whether to say so, once a minute.
    mutating func refuse(at now: NIODeadline) -> Bool {
        if let complained, now - complained < Self.betweenComplaints { return false }
        complained = now
        return true
    }

    private mutating func nextAttempt() -> Int {
        defer { attempt += 1 }
        return attempt
    }
}
