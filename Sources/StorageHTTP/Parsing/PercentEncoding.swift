/// Percent-encoding of RFC 3986 section 2.1, both ways, over bytes.
enum PercentEncoding {
    /// Decodes every escape exactly once; `+` stays `+` unless `plusIsSpace`.
    ///
    /// Returns nil when a `%` is not followed by two hex digits. The result may hold any byte, NUL and `/` included: it
    /// must be checked after decoding, never before.
    static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case ASCII.percent:
                guard let high = iterator.next().flatMap(ASCII.hexValue),
                    let low = iterator.next().flatMap(ASCII.hexValue)
                else { return nil }
                decoded.append(high << 4 | low)
            case ASCII.plus where plusIsSpace:
                decoded.append(ASCII.space)
            default:
                decoded.append(byte)
            }
        }
        return decoded
    }

    /// Encodes a path for `Location` and `Link`: the unreserved bytes of RFC 3986 and `/` stay, all others are escaped.
    static func encodePath(_ path: some Collection<UInt8>) -> String {
        encode(path) { isUnreserved($0) || $0 == ASCII.slash }
    }

    /// Encodes one query value or path segment: only the unreserved bytes of RFC 3986 stay.
    static func encodeComponent(_ bytes: some Collection<UInt8>) -> String {
        encode(bytes, keeping: isUnreserved)
    }

    static func encode(_ bytes: some Collection<UInt8>, keeping keeps: (UInt8) -> Bool) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for byte in bytes { append(byte, to: &encoded, keeping: keeps) }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Appends one byte, escaped unless `keeps` says otherwise.
    static func append(_ byte: UInt8, to encoded: inout [UInt8], keeping keeps: (UInt8) -> Bool) {
        if keeps(byte) {
            encoded.append(byte)
        } else {
            encoded.append(ASCII.percent)
            encoded.append(ASCII.hexDigit(byte >> 4))
            encoded.append(ASCII.hexDigit(byte))
        }
    }

    static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || ASCII.isLetter(byte) || byte == ASCII.dash || byte == ASCII.dot
            || byte == ASCII.underscore || byte == 0x7E
    }
}
