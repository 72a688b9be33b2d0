/// How often, how late and for how long a call of a service is repeated.
///
/// The pauses are exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015): many callers that failed at the same
/// moment do not come back at the same moment.
public struct RetryPolicy: Sendable, Hashable {
    /// How many times a call is tried at most, the first time included.
    public var maximumAttempts = 4
    /// The longest pause before the second attempt; it doubles for every later one.
    public var baseDelay: Duration = .milliseconds(50)
    /// No pause is longer, unless the service asks for it.
    public var maximumDelay: Duration = .seconds(5)
    /// No attempt begins later than this after the first.
    public var deadline: Duration = .seconds(30)
    /// How many attempts all calls of the service together may add.
    public var budget = Budget()
    /// When the service is no longer asked at all.
    public var circuit = Circuit()

    /// The defaults.
    public init() {}

    /// Every call is made once: for somebody who repeats on his own, such as a start that waits for its services.
    public static let once: RetryPolicy = {
        var policy = RetryPolicy()
        policy.maximumAttempts = 1
        return policy
    }()

    /// How many attempts may be added to those that were not repeated.
    public struct Budget: Sendable, Hashable {
        /// The repetitions that every call earns: 0.1 are 10 % more attempts than calls.
        public var ratio = 0.1
        /// The repetitions that are there at the start, and the most that can be saved up.
        public var reserve = 10.0

        /// The defaults.
        public init() {}
    }

    /// When a service counts as dead, and for how long.
    public struct Circuit: Sendable, Hashable {
        /// How many of the latest attempts are looked at.
        public var window = 20
        /// The service counts as dead when at least so many of them failed,
        public var minimumFailures = 10
        /// and at least this share.
        public var failureRatio = 0.5
        /// For how long nobody asks a dead service; doubled whenever the call that tries it then fails too.
        public var pause: Duration = .seconds(1)
        /// The longest pause.
        public var maximumPause: Duration = .seconds(15)

        /// The defaults.
        public init() {}
    }

    /// The pause before an attempt.
    ///
    /// - Parameters:
    ///   - attempt: The number of the attempt to come; 2 is the first repetition.
    ///   - retryAfter: What the service asked for: the pause is not shorter, and random beyond it.
    ///   - generator: Where the jitter comes from.
    public func delay(
        before attempt: Int, retryAfter: Duration?, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        var longest = min(baseDelay, maximumDelay)
        var doublings = attempt - 2
        while doublings > 0, longest > .zero, longest < maximumDelay {
            longest = min(longest * 2, maximumDelay)
            doublings -= 1
        }
        let share = Double(generator.next() >> 11) * 0x1p-53
        return max(retryAfter ?? .zero, .zero) + longest * share
    }
}
