/// Base 64 without padding (RFC 4648 sections 4 and 5), ASCII only.
package enum Base64Text {
    /// Which two bytes stand for 62 and 63.
    package enum Alphabet {
        /// `+` and `/`.
        case standard
        /// `-` and `_`.
        case url

        fileprivate var last: (UInt8, UInt8) {
            switch self {
            case .standard: (UInt8(ascii: "+"), UInt8(ascii: "/"))
            case .url: (UInt8(ascii: "-"), UInt8(ascii: "_"))
            }
        }
    }

    /// The text of the bytes.
    package static func encode(_ bytes: [UInt8], _ alphabet: Alphabet) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(digit(UInt8(truncatingIfNeeded: bits >> count) & 0x3F, alphabet))
            }
        }
        if count > 0 { text.append(digit(UInt8(truncatingIfNeeded: bits << (6 - count)) & 0x3F, alphabet)) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text; nil for another byte, a length that no bytes have, or left-over bits that are not zero.
    static func decode(_ text: some Collection<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in text {
            guard let value = value(byte, alphabet) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        guard count < 6, bits & ((1 << count) - 1) == 0 else { return nil }
        return bytes
    }

    private static func digit(_ value: UInt8, _ alphabet: Alphabet) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + (value - 26)
        case 52..<62: UInt8(ascii: "0") + (value - 52)
        case 62: alphabet.last.0
        default: alphabet.last.1
        }
    }

    private static func value(_ digit: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case alphabet.last.0: 62
        case alphabet.last.1: 63
        default: nil
        }
    }
}
