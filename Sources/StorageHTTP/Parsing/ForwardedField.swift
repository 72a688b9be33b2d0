/// The `Forwarded` field (RFC 7239 section 4): what the proxies on the way said, the one nearest to the client first.
struct ForwardedField: Equatable, Sendable {
    /// What one proxy said of the request that it received.
    struct Hop: Equatable, Sendable {
        /// Where it came from; nil for one that hides it (`unknown`, `_name`) or does not tell.
        var address: IPAddress?
        /// `http` or `https`.
        var scheme: String?
        /// The `Host` that it had.
        var host: String?
    }

    /// The longest field, all lines together, that is read.
    static let maximumBytes = 8 * 1024

    private(set) var hops: [Hop] = []

    /// Reads all lines; nil when anything in them is malformed.
    init?(_ lines: [String]) {
        guard lines.reduce(0, { $0 &+ $1.utf8.count &+ 1 }) <= Self.maximumBytes else { return nil }
        for line in lines {
            var cursor = ByteCursor(line)
            repeat {
                guard addHop(&cursor) else { return nil }
            } while cursor.consume(ASCII.comma)
            guard cursor.isAtEnd else { return nil }
        }
    }

    /// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
    static func address(_ text: some Collection<UInt8>) -> IPAddress? {
        let text = Array(text)
        if let address = IPAddress(text) { return address }
        var cursor = ByteCursor(text)
        let isBracketed = cursor.consume(UInt8(ascii: "["))
        let name = cursor.take { isBracketed ? $0 != UInt8(ascii: "]") : $0 != ASCII.colon }
        guard !isBracketed || cursor.consume(UInt8(ascii: "]")), isBracketed == name.contains(ASCII.colon) else {
            return nil
        }
        if cursor.consume(ASCII.colon) {
            let port = cursor.take(while: ASCII.isDigit)
            guard (1...5).contains(port.count) else { return nil }
        }
        return cursor.isAtEnd ? IPAddress(name) : nil
    }

    /// `http` or `https` in any case.
    static func scheme(_ text: some Collection<UInt8>) -> String? {
        if ASCII.equals(text, lowercase: "https") { return "https" }
        return ASCII.equals(text, lowercase: "http") ? "http" : nil
    }

    /// A host with or without a port (RFC 3986 section 3.2.2).
    static func host(_ text: some Collection<UInt8>) -> String? {
        Authority.isValid(text) ? String(decoding: text, as: UTF8.self) : nil
    }

    /// Reads one element; false for a malformed one.
    private mutating func addHop(_ cursor: inout ByteCursor) -> Bool {
        var hop = Hop()
        var names: Set<[UInt8]> = []
        repeat {
            cursor.skipBlanks()
            // Empty pairs and empty elements are allowed, and say nothing.
            if cursor.isAtEnd || cursor.peek == ASCII.semicolon || cursor.peek == ASCII.comma { continue }
            let name = ASCII.lowercased(cursor.take(while: ASCII.isToken))
            guard !name.isEmpty, names.insert(name).inserted, cursor.consume(ASCII.equals),
                let value = Self.value(&cursor)
            else { return false }
            switch String(decoding: name, as: UTF8.self) {
            case "for": hop.address = Self.address(value)
            case "proto": hop.scheme = Self.scheme(value)
            case "host": hop.host = Self.host(value)
            default: break
            }
            cursor.skipBlanks()
        } while cursor.consume(ASCII.semicolon)
        if !names.isEmpty { hops.append(hop) }
        return true
    }

    private static func value(_ cursor: inout ByteCursor) -> [UInt8]? {
        guard cursor.consume(ASCII.quote) else {
            let token = cursor.take(while: ASCII.isToken)
            return token.isEmpty ? nil : Array(token)
        }
        var value: [UInt8] = []
        while let byte = cursor.next() {
            if byte == ASCII.quote { return value }
            guard let taken = byte == ASCII.backslash ? cursor.next() : byte,
                taken == ASCII.tab || !ASCII.isControl(taken)
            else { return nil }
            value.append(taken)
        }
        return nil
    }
}
