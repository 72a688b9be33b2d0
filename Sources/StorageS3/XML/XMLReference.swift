/// References within texts: `&amp;` and its four companions, `&#38;` and `&#x26;`.
enum XMLReference {
    /// The longest, without `&` and `;`; leading zeros beyond that are refused.
    static let longest = 10

    /// The character that the bytes between `&` and `;` name; nil for an entity that is none of the five and for no character.
    static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard bytes.first == UInt8(ascii: "#") else { return entity(bytes) }
        let digits = bytes.dropFirst()
        let value = digits.first == UInt8(ascii: "x") ? hexadecimal(digits.dropFirst()) : decimal(digits)
        guard let value, value > 0 else { return nil }
        return Unicode.Scalar(value)
    }

    private static func entity(_ name: ArraySlice<UInt8>) -> Unicode.Scalar? {
        let entities: [(StaticString, Unicode.Scalar)] = [
            ("amp", "&"), ("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'"),
        ]
        return entities.first { $0.0.withUTF8Buffer { name.elementsEqual($0) } }?.1
    }

    // Ten bytes of digits cannot overflow 64 bits.
    private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard !digits.isEmpty, digits.count < longest else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        return UInt32(exactly: value)
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard !digits.isEmpty, digits.count < longest else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt64(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return UInt32(exactly: value)
    }
}
