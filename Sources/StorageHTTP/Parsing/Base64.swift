/// Base64 of RFC 4648 section 4, read strictly: the standard alphabet, padded, no white space, no left-over bits.
///
/// One text is the only one for its bytes, so no two headers mean the same credentials.
enum Base64 {
    /// The decoded bytes, or nil when `text` is not strict base64.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let bytes = Array(text)
        guard bytes.count % 4 == 0 else { return nil }
        let padding = bytes.suffix(2).reversed().prefix { $0 == ASCII.equals }.count
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count / 4 &* 3)
        var bits: UInt32 = 0
        var bitCount = 0
        for byte in bytes.dropLast(padding) {
            guard let value = value(byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount &+= 6
            if bitCount >= 8 {
                bitCount &-= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        guard bits & ((1 << UInt32(bitCount)) &- 1) == 0 else { return nil }
        return decoded
    }

    /// The text of the bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count &+ 2) / 3 &* 4)
        var rest = bytes[...]
        while !rest.isEmpty {
            let group = rest.prefix(3)
            rest = rest.dropFirst(3)
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | UInt32(group.count > index ? group[group.startIndex &+ index] : 0) }
            for index in 0..<4 {
                let isPadding = index > group.count
                text.append(isPadding ? ASCII.equals : alphabet[Int(bits >> UInt32(18 &- index &* 6) & 0x3F)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte &- 0x41
        case 0x61...0x7A: byte &- 0x61 &+ 26
        case 0x30...0x39: byte &- 0x30 &+ 52
        case ASCII.plus: 62
        case ASCII.slash: 63
        default: nil
        }
    }
}
