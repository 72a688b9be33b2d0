import NIOCore

/// How long a client may still keep its reader waiting: a credit of time that waiting spends and bytes earn.
///
/// The credit starts as the grace period, a byte earns the time that a byte takes at the least permitted rate, and it
/// never exceeds the window. So a body at the permitted rate goes on for ever, a slower one ends when the difference
/// has used up the credit, and a complete pause after a fast start ends after one window.
struct BodyRate {
    private let bytesPerSecond: Int64
    private let window: Int64
    private var credit: Int64

    init(limits: ConnectionLimits) {
        self.bytesPerSecond = Int64(limits.bodyRate)
        self.window = max(limits.bodyRateWindow.nanoseconds, limits.bodyRateGrace.nanoseconds)
        self.credit = limits.bodyRateGrace.nanoseconds
    }

    /// The moment at which a wait that began at `start` has used up the credit; `nil` when any rate is permitted.
    func deadline(waitingSince start: NIODeadline) -> NIODeadline? {
        guard bytesPerSecond > 0 else { return nil }
        return start + .nanoseconds(max(credit, 0))
    }

    /// Charges a wait for bytes that has ended.
    mutating func waited(_ time: TimeAmount) {
        let (rest, overflow) = credit.subtractingReportingOverflow(max(time.nanoseconds, 0))
        credit = overflow ? 0 : rest
    }

    /// Credits bytes that arrived.
    mutating func received(bytes: Int) {
        guard bytesPerSecond > 0, bytes > 0 else { return }
        let (scaled, overflow) = Int64(bytes).multipliedReportingOverflow(by: 1_000_000_000)
        let earned = overflow ? window : scaled / bytesPerSecond
        let (sum, sumOverflow) = credit.addingReportingOverflow(earned)
        credit = sumOverflow ? window : min(sum, window)
    }
}
