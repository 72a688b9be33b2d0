#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A moment as whole microseconds since 1970-01-01T00:00:00Z, as the databases keep it.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Microseconds since the Unix epoch; negative before it.
    public let microseconds: Int64

    /// Makes the moment that many microseconds after the Unix epoch.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// This machine's clock. For identifiers, logs and measurements only: ages and leases are compared by the database.
    public static func now() -> Self {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Self(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Whole seconds since the Unix epoch, rounded down: the resolution of HTTP dates.
    public var seconds: Int64 {
        microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
    }

    /// Orders by time.
    public static func < (one: Self, other: Self) -> Bool { one.microseconds < other.microseconds }
}

extension Duration {
    /// Whole microseconds, cut to 64 bits.
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflowed ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000_000
    }
}
