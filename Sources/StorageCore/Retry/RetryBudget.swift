import Synchronization

/// Bounds the repetitions of all calls of one service together, so that its bad minutes do not become worse by them.
///
/// A token bucket: every call puts a fraction of a token in, every repetition takes a whole one out.
public final class RetryBudget: Sendable {
    private let settings: RetryPolicy.Budget
    private let tokens: Mutex<Double>

    /// Makes a budget whose reserve is full.
    public init(_ settings: RetryPolicy.Budget = RetryPolicy.Budget()) {
        self.settings = settings
        tokens = Mutex(max(0, settings.reserve))
    }

    /// Notes a call that was not made before.
    public func deposit() {
        tokens.withLock { $0 = max($0, min($0 + settings.ratio, settings.reserve)) }
    }

    /// Takes the price of one repetition; false when there is not enough.
    public func withdraw() -> Bool {
        tokens.withLock { tokens in
            // A sum of tenths may miss the whole number by its rounding.
            guard tokens >= 1 - 1e-9 else { return false }
            tokens = max(0, tokens - 1)
            return true
        }
    }

    /// How many repetitions may be made at this moment.
    public var available: Double { tokens.withLock { $0 } }
}
