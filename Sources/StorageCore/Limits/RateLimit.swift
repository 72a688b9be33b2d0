/// So many times in so long a time.
public struct RateLimit: Hashable, Sendable {
    /// How many at once, and in every period afterwards; at least 1.
    public let count: Int
    /// The time in which as many become free again.
    public let period: Duration
    /// The time in which one becomes free again, in nanoseconds; at least 1.
    let interval: Int64

    /// Chooses a limit; nil unless the count is 1 to 1,000,000 and the period a second to a year.
    public init?(count: Int, per period: Duration) {
        guard 1...1_000_000 ~= count, .seconds(1)...(.seconds(366 * 86_400)) ~= period else { return nil }
        self.count = count
        self.period = period
        interval = max(1, period.nanoseconds / Int64(count))
    }

    /// The same with so many times as many; at most a million.
    func times(_ factor: Int) -> RateLimit {
        RateLimit(count: min(count * factor, 1_000_000), per: period) ?? self
    }
}

extension Duration {
    /// Whole nanoseconds; as many as fit.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflowed else { return seconds < 0 ? .min : .max }
        return whole.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }
}
