/// A UTC date and time of the proleptic Gregorian calendar with whole seconds; the arithmetic under every time format.
package struct CivilDate: Equatable, Sendable {
    /// 0–9999
    package let year: Int
    /// 1–12
    package let month: Int
    /// 1–31
    package let day: Int
    package let hour: Int
    package let minute: Int
    /// 0–60, because a leap second may be written
    package let second: Int

    /// The first second of the year 0 and the last of the year 9999: all that four digits can say.
    package static let representable: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// The date of a moment in seconds since 1970, moved into the years 0–9999 if it lies outside.
    package init(secondsSinceEpoch: Int64) {
        let seconds = min(max(secondsSinceEpoch, Self.representable.lowerBound), Self.representable.upperBound)
        var days = seconds / 86_400
        var rest = Int(seconds % 86_400)
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        // Howard Hinnant's days-to-civil: eras of 400 years that begin on the first of March.
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
    }

    /// A date from its parts; nil when there is no such day or time, or the year is not within 0–9999.
    package init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (0...9_999).contains(year), (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second), day >= 1, day <= Self.days(inMonth: month, of: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The moment of this date; a leap second is the first second of what follows it.
    package var secondsSinceEpoch: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Int64(days) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// 0 for Sunday to 6 for Saturday.
    package var weekday: Int {
        let days = Int((secondsSinceEpoch - Int64(hour * 3_600 + minute * 60 + second)) / 86_400)
        return ((days + 4) % 7 + 7) % 7
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
