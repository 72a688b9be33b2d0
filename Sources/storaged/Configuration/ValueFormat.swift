/// How the text of a setting becomes a value, and what to tell people whose text cannot.
///
/// Must judge the whole text: nothing is trimmed, guessed or cut off. Never touches the disk or the network.
struct ValueFormat<Value: Sendable>: Sendable {
    /// Finishes the sentence "give …".
    let expectation: String
    /// `nil` where the text is not of this format; throws where it is, but this build cannot do it.
    let parse: @Sendable (String) throws(ValueRefusal) -> Value?
    /// The text as people may see it: addresses with a password in them lose it here.
    var shown: @Sendable (String) -> String = { $0 }
    /// Whether nobody else may read the text, as that of an address with a password in it.
    var holdsSecret: @Sendable (String) -> Bool = { _ in false }
    /// Whether a text is several with commas between them.
    var takesList = false

    /// The value of `text`, or the reason why there is none.
    func value(of text: String) throws(ValueRefusal) -> Value {
        guard let value = try parse(text) else { throw ValueRefusal(cure: "give \(expectation)") }
        return value
    }
}

/// Why a text is not acceptable as the value of a setting: what would be right instead.
struct ValueRefusal: Error, Equatable {
    let cure: String
}

extension ValueFormat where Value == Int64? {
    /// A number of a format, or the word `none` for nil.
    static func orNone(_ format: ValueFormat<Int64>) -> Self {
        Self(expectation: format.expectation + ", or none") { text throws(ValueRefusal) in
            if text.asciiLowercased == "none" { return .some(nil) }
            guard let number = try format.parse(text) else { return nil }
            return .some(number)
        }
    }
}

extension ValueFormat where Value == Bool {
    static var boolean: Self {
        Self(expectation: "true or false (also yes/no, on/off, 1/0)") { text throws(ValueRefusal) in
            switch text.asciiLowercased {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }
    }
}

extension ValueFormat where Value == Int {
    /// A TCP port; 0 lets the system choose a free one.
    static var port: Self { number("a port from 0 to 65535", in: 0...65_535) }

    static func count(in range: ClosedRange<Int>) -> Self {
        number("a whole number from \(range.lowerBound) to \(range.upperBound)", in: range)
    }

    private static func number(_ expectation: String, in range: ClosedRange<Int>) -> Self {
        Self(expectation: expectation) { text throws(ValueRefusal) in
            guard let number = Quantity(text), number.unit.isEmpty, let value = Int(exactly: number.amount) else {
                return nil
            }
            return range ~= value ? value : nil
        }
    }
}

extension ValueFormat where Value == Int? {
    /// A TCP port; nil for the empty text.
    static var optionalPort: Self {
        let port = ValueFormat<Int>.port
        return Self(expectation: port.expectation) { text throws(ValueRefusal) in
            if text.isEmpty { return .some(nil) }
            guard let number = try port.parse(text) else { return nil }
            return .some(number)
        }
    }
}

extension ValueFormat where Value == Duration {
    /// `30` (seconds), `500ms`, `30s`, `5min`, `24h`, `30d`.
    static func duration(in range: ClosedRange<Duration>) -> Self {
        let bounds = "from \(range.lowerBound.settingText) to \(range.upperBound.settingText)"
        return Self(expectation: "a duration \(bounds), such as 30 (seconds), 500ms, 30s, 5min, 24h or 30d") {
            text throws(ValueRefusal) in
            let units: [String: Int64] = [
                "": 1_000, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
            ]
            guard let milliseconds = Quantity(text)?.scaled(by: units) else { return nil }
            let duration = Duration.milliseconds(milliseconds)
            return range ~= duration ? duration : nil
        }
    }
}

extension ValueFormat where Value == Duration? {
    /// A duration of a range; nil for never, which is `0` or `-1`.
    static func durationOrNever(in range: ClosedRange<Duration>) -> Self {
        let format = ValueFormat<Duration>.duration(in: range)
        return Self(expectation: format.expectation + "; 0 or -1 for never") { text throws(ValueRefusal) in
            if text == "0" || text == "-1" { return .some(nil) }
            guard let duration = try format.parse(text) else { return nil }
            return .some(duration)
        }
    }
}

extension ValueFormat where Value == Int64 {
    static func count(in range: ClosedRange<Int64>) -> Self {
        Self(expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)") {
            text throws(ValueRefusal) in
            guard let number = Quantity(text), number.unit.isEmpty else { return nil }
            return range ~= number.amount ? number.amount : nil
        }
    }

    /// Bytes: `1048576`, `64KiB`, `20MB`, `5TiB`.
    static func size(in range: ClosedRange<Int64>) -> Self {
        let bounds = "of \(range.lowerBound) to \(range.upperBound) bytes"
        return Self(expectation: "a size \(bounds), such as 1048576, 64KiB, 20MB or 5TiB") {
            text throws(ValueRefusal) in
            let units: [String: Int64] = [
                "": 1, "B": 1,
                "kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
                "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
            ]
            guard let bytes = Quantity(text)?.scaled(by: units) else { return nil }
            return range ~= bytes ? bytes : nil
        }
    }
}

extension ValueFormat where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration, in any case.
    static var choice: Self {
        let words = Value.allCases.map(\.rawValue)
        return Self(expectation: "one of \(words.joined(separator: ", "))") { text throws(ValueRefusal) in
            Value(rawValue: text.asciiLowercased)
        }
    }
}

extension ValueFormat where Value == String {
    /// A host name or an IP address to listen on; an IPv6 address may be in brackets, which are taken off.
    static var host: Self {
        Self(expectation: "a host name or an IP address, without scheme and port") { text throws(ValueRefusal) in
            var bytes = text.utf8[...]
            if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
                bytes = bytes.dropFirst().dropLast()
            }
            let isIPv6 = bytes.count { $0 == UInt8(ascii: ":") } > 1
            let isHost = bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                case UInt8(ascii: ":"), UInt8(ascii: "%"): isIPv6
                default: false
                }
            }
            return isHost && 1...253 ~= bytes.count ? String(bytes) : nil
        }
    }

    /// A path of the local file system.
    static var path: Self {
        Self(expectation: "a path") { text throws(ValueRefusal) in
            text.isEmpty || text.utf8.contains(0) ? nil : text
        }
    }
}

/// A whole number and the letters after it.
private struct Quantity {
    let amount: Int64
    let unit: String

    /// `nil` without a digit in front, and where the number does not fit.
    init?(_ text: String) {
        let digits = text.utf8.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard digits.isEmpty == false, let amount = Int64(Substring(digits)) else { return nil }
        self.amount = amount
        self.unit = String(Substring(text.utf8.dropFirst(digits.count)))
    }

    func scaled(by units: [String: Int64]) -> Int64? {
        guard let factor = units[unit] else { return nil }
        let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

extension Duration {
    /// The duration as a setting spells it, in the largest unit that is exact.
    var settingText: String {
        let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
        let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")]
        for (factor, unit) in units where milliseconds != 0 && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return milliseconds == 0 ? "0" : "\(milliseconds)ms"
    }
}
