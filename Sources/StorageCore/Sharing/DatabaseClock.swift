import Synchronization

/// What the database's clock says now, as far as its last answer tells: never less than it really is while that clock runs evenly.
final class DatabaseClock: Sendable {
    private struct Reading {
        /// What the clock said, at the earliest when the question was asked.
        let time: Timestamp
        let asked: ContinuousClock.Instant
    }

    /// A reading that is older says nothing: the two clocks may have gone apart.
    private static let freshness = Duration.seconds(30)

    private let reading = Mutex<Reading?>(nil)

    /// Notes what the database said to a question.
    func note(_ time: Timestamp, asked: ContinuousClock.Instant) {
        reading.withLock { $0 = Reading(time: time, asked: asked) }
    }

    /// The time now; nil where nothing was heard for long.
    func time(at now: ContinuousClock.Instant) -> Timestamp? {
        guard let reading = reading.withLock({ $0 }) else { return nil }
        let passed = reading.asked.duration(to: now)
        guard passed >= .zero, passed <= Self.freshness else { return nil }
        return Timestamp(microseconds: reading.time.microseconds + passed.wholeMicroseconds)
    }
}
