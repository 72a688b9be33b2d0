import StorageCore

/// Dates of HTTP headers (RFC 9110 section 5.6.7), as seconds since 1970.
enum HTTPDate {
    private static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let longWeekdays: [StaticString] = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is sent (IMF-fixdate).
    static func format(_ secondsSinceEpoch: Int64) -> String {
        let date = CivilDate(secondsSinceEpoch: secondsSinceEpoch)
        return String(unsafeUninitializedCapacity: 29) { buffer in
            var count = 0
            func put(_ text: StaticString) {
                text.withUTF8Buffer { bytes in
                    for byte in bytes {
                        buffer[count] = byte
                        count &+= 1
                    }
                }
            }
            func put(_ value: Int) {
                buffer[count] = ASCII.zero &+ UInt8(truncatingIfNeeded: value / 10)
                buffer[count &+ 1] = ASCII.zero &+ UInt8(truncatingIfNeeded: value % 10)
                count &+= 2
            }
            put(weekdays[date.weekday])
            put(", ")
            put(date.day)
            put(" ")
            put(months[date.month - 1])
            put(" ")
            put(date.year / 100)
            put(date.year % 100)
            put(" ")
            put(date.hour)
            put(":")
            put(date.minute)
            put(":")
            put(date.second)
            put(" GMT")
            return count
        }
    }

    /// Seconds since 1970 of an IMF-fixdate, RFC 850 or asctime date; nil when it is none of them, so that the condition
    /// that carries it is ignored.
    ///
    /// The name of the day must be one but need not be the right one. `now` decides the century of a two-digit year: one
    /// that seems more than 50 years ahead is in the past.
    static func parse(_ text: String, now: Int64) -> Int64? {
        guard text.utf8.count <= 64 else { return nil }
        let cursor = ByteCursor(text)
        return (fixdate(cursor) ?? rfc850(cursor, now: now) ?? asctime(cursor))?.secondsSinceEpoch
    }

    private static func fixdate(_ start: ByteCursor) -> CivilDate? {
        var cursor = start
        guard index(of: weekdays, in: &cursor) != nil, cursor.consume(", "), let day = cursor.digits(2),
            cursor.consume(" "), let month = index(of: months, in: &cursor), cursor.consume(" "),
            let year = cursor.digits(4), cursor.consume(" "), let time = time(&cursor), cursor.consume(" GMT"),
            cursor.isAtEnd
        else { return nil }
        return CivilDate(
            year: year, month: month + 1, day: day, hour: time.hour, minute: time.minute, second: time.second)
    }

    private static func rfc850(_ start: ByteCursor, now: Int64) -> CivilDate? {
        var cursor = start
        guard index(of: longWeekdays, in: &cursor) != nil, cursor.consume(", "), let day = cursor.digits(2),
            cursor.consume("-"), let month = index(of: months, in: &cursor), cursor.consume("-"),
            let shortYear = cursor.digits(2), cursor.consume(" "), let time = time(&cursor), cursor.consume(" GMT"),
            cursor.isAtEnd
        else { return nil }
        let thisYear = CivilDate(secondsSinceEpoch: now).year
        var year = thisYear - thisYear % 100 + shortYear
        if year > thisYear + 50 { year -= 100 }
        return CivilDate(
            year: year, month: month + 1, day: day, hour: time.hour, minute: time.minute, second: time.second)
    }

    private static func asctime(_ start: ByteCursor) -> CivilDate? {
        var cursor = start
        guard index(of: weekdays, in: &cursor) != nil, cursor.consume(" "),
            let month = index(of: months, in: &cursor), cursor.consume(" "),
            let day = cursor.consume(" ") ? cursor.digits(1) : cursor.digits(2), cursor.consume(" "),
            let time = time(&cursor), cursor.consume(" "), let year = cursor.digits(4), cursor.isAtEnd
        else { return nil }
        return CivilDate(
            year: year, month: month + 1, day: day, hour: time.hour, minute: time.minute, second: time.second)
    }

    private static func index(of names: [StaticString], in cursor: inout ByteCursor) -> Int? {
        for (index, name) in names.enumerated() where cursor.consume(name) { return index }
        return nil
    }

    private static func time(_ cursor: inout ByteCursor) -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = cursor.digits(2), cursor.consume(":"), let minute = cursor.digits(2), cursor.consume(":"),
            let second = cursor.digits(2)
        else { return nil }
        return (hour, minute, second)
    }
}
