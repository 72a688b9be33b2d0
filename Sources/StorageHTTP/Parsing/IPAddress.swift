/// An address of IPv6, or one of IPv4 in its mapped form (RFC 4291 section 2.5.5.2), so that both spellings are the same.
struct IPAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An address of IPv4.
    init(ipv4: UInt32) {
        self.init(high: 0, low: Self.mapped | UInt64(ipv4))
    }

    /// An address of 4 or 16 bytes; nil for any other count.
    init?(octets: some Collection<UInt8>) {
        func number(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: self.init(ipv4: UInt32(truncatingIfNeeded: number(octets)))
        case 16: self.init(high: number(octets.prefix(8)), low: number(octets.dropFirst(8)))
        default: return nil
        }
    }

    /// Reads `192.0.2.1` or `2001:db8::1` (RFC 4291 section 2.2); nil for everything else, zones and leading zeros of IPv4
    /// included.
    init?(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        if let ipv4 = Self.ipv4(bytes[...]) {
            self.init(ipv4: ipv4)
        } else if let words = Self.ipv6(bytes) {
            self.init(
                high: words[..<4].reduce(0) { $0 << 16 | UInt64($1) },
                low: words[4...].reduce(0) { $0 << 16 | UInt64($1) })
        } else {
            return nil
        }
    }

    /// The address of IPv4 that this is, if it is one.
    var ipv4: UInt32? {
        high == 0 && low & ~0xFFFF_FFFF == Self.mapped ? UInt32(truncatingIfNeeded: low) : nil
    }

    /// Whether it names the machine itself: `127.0.0.0/8` and `::1`.
    var isLoopback: Bool {
        if let ipv4 { return ipv4 >> 24 == 127 }
        return high == 0 && low == 1
    }

    private static let mapped: UInt64 = 0xFFFF_0000_0000

    private static func ipv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard text.count <= 15 else { return nil }
        let parts = text.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            // A leading zero means octal to some readers and nothing to others.
            guard (1...3).contains(part.count), part.allSatisfy(ASCII.isDigit),
                part.count == 1 || part.first != ASCII.zero
            else { return nil }
            let value = part.reduce(UInt32(0)) { $0 &* 10 &+ UInt32($1 &- ASCII.zero) }
            guard value <= 255 else { return nil }
            address = address << 8 | value
        }
        return address
    }

    /// The eight words of an address.
    private static func ipv6(_ text: [UInt8]) -> [UInt16]? {
        guard (2...45).contains(text.count) else { return nil }
        guard
            let gap = text.indices.dropLast().first(where: { text[$0] == ASCII.colon && text[$0 &+ 1] == ASCII.colon })
        else {
            let words = words(text[...])
            return words?.count == 8 ? words : nil
        }
        guard let head = words(text[..<gap], mayEndInIPv4: false), let tail = words(text[(gap &+ 2)...]),
            head.count &+ tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 &- head.count &- tail.count) + tail
    }

    private static func words(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool = true) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var words: [UInt16] = []
        let parts = text.split(separator: ASCII.colon, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count &- 1, let ipv4 = ipv4(part) {
                words += [UInt16(truncatingIfNeeded: ipv4 >> 16), UInt16(truncatingIfNeeded: ipv4)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var word: UInt16 = 0
            for byte in part {
                guard let digit = ASCII.hexValue(byte) else { return nil }
                word = word << 4 | UInt16(digit)
            }
            words.append(word)
        }
        return words.count <= 8 ? words : nil
    }
}

extension IPAddress: CustomStringConvertible {
    /// The one canonical text (RFC 5952); an address of IPv4 with dots.
    var description: String {
        if let ipv4 {
            return stride(from: 24, through: 0, by: -8).map { "\(ipv4 >> UInt32($0) & 0xFF)" }.joined(separator: ".")
        }
        let words = [high, high, high, high, low, low, low, low].enumerated().map { index, half in
            UInt16(truncatingIfNeeded: half >> UInt64(48 &- index % 4 &* 16))
        }
        let gap = Self.longestZeros(words)
        let text = { (words: ArraySlice<UInt16>) in words.map { String($0, radix: 16) }.joined(separator: ":") }
        guard gap.count > 1 else { return text(words[...]) }
        return text(words[..<gap.lowerBound]) + "::" + text(words[gap.upperBound...])
    }

    private static func longestZeros(_ words: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (index, word) in words.enumerated() {
            if word != 0 {
                start = index &+ 1
            } else if index &+ 1 &- start > longest.count {
                longest = start..<(index &+ 1)
            }
        }
        return longest
    }
}
