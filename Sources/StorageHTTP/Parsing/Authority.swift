import StorageCore

/// A host with or without a port, as in `Host` (RFC 9110 section 7.2, RFC 3986 section 3.2).
enum Authority {
    /// Whether it is a name, an IPv4 address, or an IPv6 address in brackets, and a port of at most five digits, if any.
    static func isValid(_ text: some Collection<UInt8>) -> Bool {
        let text = Array(text)
        guard (1...255).contains(text.count) else { return false }
        if text[0] == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = text[1..<end]
            return address.contains(ASCII.colon) && IPAddress(address) != nil && isPort(text[(end &+ 1)...])
        }
        let name = text.prefix { $0 != ASCII.colon }
        return !name.isEmpty && name.allSatisfy(isName) && isPort(text[name.count...])
    }

    private static func isName(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == ASCII.dash || byte == ASCII.dot
            || byte == ASCII.underscore
    }

    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let colon = text.first else { return true }
        let digits = text.dropFirst()
        guard colon == ASCII.colon, let port = DecimalNumber.parse(Array(digits)) else { return false }
        return port <= 65_535
    }
}
