import NIOCore

/// Whether Redis is asked at all: pure, so that its owner says when time has passed.
///
/// After three failures in a row nobody asks, and it is tried behind everybody's back: first after a tenth of a second, then after
/// twice as long each time, half a minute at most. One that answers is asked again; one that soon fails again waits for longer.
struct CacheHealth: Equatable {
    private static let mostFailures = 3
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(30)
    /// As many answers in a row make it as good as new.
    private static let trusted = 100
    private static let betweenComplaints = TimeAmount.minutes(1)

    private var failures = 0
    private var successes = 0
    private var pause = Self.firstPause
    /// When it was last said that something is refused.
    private var complained: NIODeadline?
    /// Whether questions may be asked.
    private(set) var isAsked = true

    /// Notes an answer.
    mutating func succeed() {
        guard isAsked else { return }
        failures = 0
        if successes < Self.trusted { successes += 1 } else { pause = Self.firstPause }
    }

    /// Notes a question without an answer; returns after how long to try, where that was one too many.
    mutating func fail() -> Duration? {
        guard isAsked else { return nil }
        successes = 0
        failures += 1
        guard failures >= Self.mostFailures else { return nil }
        isAsked = false
        return nextPause()
    }

    /// Notes what a try came to; returns after how long to try again, where there was no answer.
    mutating func tried(isAlive: Bool) -> Duration? {
        guard isAlive else { return nextPause() }
        (failures, successes, isAsked) = (0, 0, true)
        return nil
    }

    /// Notes that Redis did not take something; returns whether to say so, once a minute.
    mutating func refuse(at now: NIODeadline) -> Bool {
        if let complained, now - complained < Self.betweenComplaints { return false }
        complained = now
        return true
    }

    private mutating func nextPause() -> Duration {
        defer { pause = min(pause * 2, Self.longestPause) }
        return pause
    }
}
