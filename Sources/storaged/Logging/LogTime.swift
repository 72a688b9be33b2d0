import Glibc

/// A moment of the system's clock, as log lines show it.
struct LogTime: Sendable, Equatable {
    /// Since 1970-01-01T00:00:00Z; never before it.
    let seconds: Int64
    let microseconds: Int64

    init(seconds: Int64, microseconds: Int64) {
        self.seconds = max(0, seconds)
        self.microseconds = microseconds
    }

    static var now: LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: Int64(time.tv_sec), microseconds: Int64(time.tv_nsec) / 1_000)
    }

    /// Appends the moment as RFC 3339 in UTC with microseconds: `2026-01-31T09:05:00.000042Z`.
    ///
    /// The date comes from Howard Hinnant's `civil_from_days`: years that begin in March end in the leap day.
    func append(to line: inout [UInt8]) {
        let (days, second) = (seconds / 86_400, seconds % 86_400)
        let shifted = days + 719_468
        let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        Self.append(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), width: 4, to: &line)
        line.append(UInt8(ascii: "-"))
        Self.append(month, width: 2, to: &line)
        line.append(UInt8(ascii: "-"))
        Self.append(dayOfYear - (153 * marchMonth + 2) / 5 + 1, width: 2, to: &line)
        line.append(UInt8(ascii: "T"))
        Self.append(second / 3_600, width: 2, to: &line)
        line.append(UInt8(ascii: ":"))
        Self.append(second / 60 % 60, width: 2, to: &line)
        line.append(UInt8(ascii: ":"))
        Self.append(second % 60, width: 2, to: &line)
        line.append(UInt8(ascii: "."))
        Self.append(microseconds, width: 6, to: &line)
        line.append(UInt8(ascii: "Z"))
    }

    private static func append(_ number: Int64, width: Int, to line: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            line.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
