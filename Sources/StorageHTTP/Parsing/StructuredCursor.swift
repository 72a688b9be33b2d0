/// The grammar of structured field values (RFC 9651 section 4.2), over a cursor that never traps.
struct StructuredCursor {
    typealias Value = StructuredDictionary.Value

    private var cursor: ByteCursor

    init(_ text: String) {
        cursor = ByteCursor(text)
    }

    var isAtEnd: Bool { cursor.isAtEnd }

    mutating func consume(_ byte: UInt8) -> Bool { cursor.consume(byte) }

    mutating func skipBlanks() { cursor.skipBlanks() }

    mutating func skipSpaces() { _ = cursor.take { $0 == ASCII.space } }

    mutating func key() -> [UInt8]? {
        guard let first = cursor.peek, Self.isLowercase(first) || first == ASCII.asterisk else { return nil }
        return Array(
            cursor.take {
                Self.isLowercase($0) || ASCII.isDigit($0) || $0 == ASCII.underscore || $0 == ASCII.dash
                    || $0 == ASCII.dot || $0 == ASCII.asterisk
            })
    }

    /// What stands behind a key of a dictionary, parameters included; a key alone is true.
    mutating func memberValue() -> Value? {
        guard cursor.consume(ASCII.equals) else { return parameters() ? .bare : nil }
        if cursor.peek == UInt8(ascii: "(") { return innerList() ? .other : nil }
        return item()
    }

    private mutating func item() -> Value? {
        guard let value = bareItem(), parameters() else { return nil }
        return value
    }

    private mutating func innerList() -> Bool {
        guard cursor.consume(UInt8(ascii: "(")) else { return false }
        while true {
            skipSpaces()
            if cursor.consume(UInt8(ascii: ")")) { return parameters() }
            guard item() != nil, cursor.peek == ASCII.space || cursor.peek == UInt8(ascii: ")") else { return false }
        }
    }

    private mutating func parameters() -> Bool {
        while cursor.consume(ASCII.semicolon) {
            skipSpaces()
            guard key() != nil else { return false }
            if cursor.consume(ASCII.equals), bareItem() == nil { return false }
        }
        return true
    }

    private mutating func bareItem() -> Value? {
        guard let first = cursor.peek else { return nil }
        switch first {
        case ASCII.colon: return bytes()
        case ASCII.quote: return string() ? .other : nil
        case UInt8(ascii: "?"): return boolean() ? .other : nil
        case ASCII.percent: return displayString() ? .other : nil
        case UInt8(ascii: "@"):
            _ = cursor.next()
            if case .integer = number() { return .other }
            return nil
        case ASCII.dash: return number()
        case _ where ASCII.isDigit(first): return number()
        case _ where ASCII.isLetter(first) || first == ASCII.asterisk:
            _ = cursor.take { ASCII.isToken($0) || $0 == ASCII.colon || $0 == ASCII.slash }
            return .other
        default: return nil
        }
    }

    /// Base64 between colons. Its padding may be missing; bits that are left over may not.
    private mutating func bytes() -> Value? {
        guard cursor.consume(ASCII.colon) else { return nil }
        var text = Array(cursor.take { $0 != ASCII.colon })
        guard cursor.consume(ASCII.colon) else { return nil }
        if text.last != ASCII.equals {
            while text.count % 4 != 0 { text.append(ASCII.equals) }
        }
        return Base64.decode(text).map { .bytes($0) }
    }

    /// At most 15 digits, or 12 before a decimal point and 3 behind it.
    private mutating func number() -> Value? {
        let isNegative = cursor.consume(ASCII.dash)
        let whole = cursor.take(while: ASCII.isDigit)
        guard (1...15).contains(whole.count) else { return nil }
        if cursor.consume(ASCII.dot) {
            let fraction = cursor.take(while: ASCII.isDigit)
            return whole.count <= 12 && (1...3).contains(fraction.count) ? .other : nil
        }
        let value = whole.reduce(Int64(0)) { $0 &* 10 &+ Int64($1 &- ASCII.zero) }
        return .integer(isNegative ? 0 &- value : value)
    }

    private mutating func string() -> Bool {
        guard cursor.consume(ASCII.quote) else { return false }
        while let byte = cursor.next() {
            switch byte {
            case ASCII.quote: return true
            case ASCII.backslash:
                guard cursor.consume(ASCII.quote) || cursor.consume(ASCII.backslash) else { return false }
            default: guard byte >= ASCII.space, byte < 0x7F else { return false }
            }
        }
        return false
    }

    private mutating func displayString() -> Bool {
        guard cursor.consume(ASCII.percent), cursor.consume(ASCII.quote) else { return false }
        var text: [UInt8] = []
        while let byte = cursor.next() {
            switch byte {
            case ASCII.quote: return String(validating: text, as: UTF8.self) != nil
            case ASCII.percent:
                guard let high = hexDigit(), let low = hexDigit() else { return false }
                text.append(high << 4 | low)
            default:
                guard byte >= ASCII.space, byte < 0x7F else { return false }
                text.append(byte)
            }
        }
        return false
    }

    /// A hex digit in lower case.
    private mutating func hexDigit() -> UInt8? {
        guard let byte = cursor.next(), ASCII.isDigit(byte) || Self.isLowercase(byte) else { return nil }
        return ASCII.hexValue(byte)
    }

    private mutating func boolean() -> Bool {
        cursor.consume(UInt8(ascii: "?"))
            && (cursor.consume(UInt8(ascii: "0")) || cursor.consume(UInt8(ascii: "1")))
    }

    private static func isLowercase(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
}
