/// Base 16 (RFC 4648 section 8), lower case out, either case in, ASCII only.
package enum Hexadecimal {
    /// The lower-case digit of a value below 16.
    package static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + (value - 10)
    }

    /// The value of an ASCII digit; nil for every other byte.
    package static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Two digits for every byte.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        let count = bytes.count * 2
        return String(unsafeUninitializedCapacity: count) { text in
            var position = 0
            for byte in bytes {
                text[position] = digit(byte >> 4)
                text[position + 1] = digit(byte & 0x0F)
                position += 2
            }
            return count
        }
    }

    /// A byte for every two digits; nil when the count is odd or a byte is no digit.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        // Bytes that lie side by side are read in one loop, without a call for each.
        if let decoded = text.withContiguousStorageIfAvailable({ decode(bytes: $0) }) { return decoded }
        return Array(text).withUnsafeBufferPointer { decode(bytes: $0) }
    }

    private static func decode(bytes text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 2) { bytes, count in
            for position in 0..<text.count / 2 {
                guard let high = value(text[2 * position]), let low = value(text[2 * position + 1]) else {
                    isValid = false
                    break
                }
                bytes[position] = high << 4 | low
                count = position + 1
            }
        }
        return isValid ? bytes : nil
    }
}
