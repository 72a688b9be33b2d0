import StorageCore

/// Moments as S3 writes them, to the second: in signatures, in answers and in the header `Date`.
struct UTCDate: Equatable, Sendable {
    private let date: CivilDate

    /// The second that the moment lies in.
    init(_ moment: Timestamp) {
        date = CivilDate(secondsSinceEpoch: moment.seconds)
    }

    /// The beginning of the second.
    var moment: Timestamp { Timestamp(microseconds: date.secondsSinceEpoch * 1_000_000) }

    /// `20130524`: the day that a signing key is good for.
    var day: String { String(decoding: dayDigits, as: UTF8.self) }

    /// `20130524T000000Z`: the form of `x-amz-date` (ISO 8601, basic).
    var basic: String {
        var text = dayDigits
        text.append(UInt8(ascii: "T"))
        for number in [date.hour, date.minute, date.second] { Self.append(number, digits: 2, to: &text) }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads the forms of answers: `2010-11-10T20:48:33.000Z` with any fraction or none, and `20101110T204833Z`.
    init?(iso8601 text: some Collection<UInt8>) {
        var digits = DateCursor(text)
        guard let year = digits.number(4) else { return nil }
        let isExtended = digits.take(UInt8(ascii: "-"))
        guard let month = digits.number(2), !isExtended || digits.take(UInt8(ascii: "-")),
            let day = digits.number(2), digits.take(UInt8(ascii: "T")),
            let time = digits.time(separated: isExtended)
        else { return nil }
        if digits.take(UInt8(ascii: ".")) {
            guard digits.skipDigits() else { return nil }
        }
        guard digits.take(UInt8(ascii: "Z")), digits.isAtEnd else { return nil }
        self.init(year: year, month: month, day: day, time: time)
    }

    /// Reads the form of the header `Date`: `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 section 5.6.7). The day of
    /// the week is not looked at.
    init?(httpDate text: some Collection<UInt8>) {
        var digits = DateCursor(text.dropFirst(3))
        guard digits.take(UInt8(ascii: ",")), digits.take(UInt8(ascii: " ")), let day = digits.number(2),
            digits.take(UInt8(ascii: " ")), let month = digits.month(), digits.take(UInt8(ascii: " ")),
            let year = digits.number(4), digits.take(UInt8(ascii: " ")), let time = digits.time(separated: true),
            digits.takeAll(" GMT"), digits.isAtEnd
        else { return nil }
        self.init(year: year, month: month, day: day, time: time)
    }

    private init?(year: Int, month: Int, day: Int, time: (hour: Int, minute: Int, second: Int)) {
        let date = CivilDate(
            year: year, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second)
        guard let date else { return nil }
        self.date = date
    }

    private var dayDigits: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(16)
        Self.append(date.year, digits: 4, to: &text)
        Self.append(date.month, digits: 2, to: &text)
        Self.append(date.day, digits: 2, to: &text)
        return text
    }

    private static func append(_ number: Int, digits: Int, to text: inout [UInt8]) {
        if digits > 1 { append(number / 10, digits: digits - 1, to: &text) }
        text.append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}

/// A place in the bytes of a date that only moves forward.
private struct DateCursor {
    private var rest: ArraySlice<UInt8>

    // No date is longer; what is, is none.
    init(_ text: some Collection<UInt8>) {
        rest = ArraySlice(text.prefix(64))
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func takeAll(_ text: StaticString) -> Bool {
        let isNext = text.withUTF8Buffer { rest.prefix($0.count).elementsEqual($0) }
        if isNext { rest = rest.dropFirst(text.utf8CodeUnitCount) }
        return isNext
    }

    mutating func number(_ count: Int) -> Int? {
        guard rest.count >= count, let number = DecimalNumber.parse(rest.prefix(count)) else { return nil }
        rest = rest.dropFirst(count)
        return Int(number)
    }

    mutating func skipDigits() -> Bool {
        let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        rest = rest.dropFirst(digits.count)
        return !digits.isEmpty
    }

    mutating func month() -> Int? {
        let names: [StaticString] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        for (index, name) in names.enumerated() where takeAll(name) { return index + 1 }
        return nil
    }

    mutating func time(separated: Bool) -> (hour: Int, minute: Int, second: Int)? {
        let colon = UInt8(ascii: ":")
        guard let hour = number(2), !separated || take(colon), let minute = number(2), !separated || take(colon),
            let second = number(2)
        else { return nil }
        return (hour, minute, second)
    }
}
