/// The `; name=value` list behind a media type or a disposition (RFC 9110 section 5.6.6).
struct HeaderParameters: Equatable, Sendable {
    struct Parameter: Equatable, Sendable {
        /// In lower case.
        let name: [UInt8]
        let value: [UInt8]
    }

    /// How values are read, because clients do not agree on it.
    enum Dialect {
        /// As RFC 9110 says: tokens, and quoted strings where a backslash keeps the next byte.
        case standard
        /// As browsers, curl and the client libraries write `multipart/form-data`: in quotes a backslash escapes only a
        /// quote and another backslash, and stands for itself otherwise; without quotes a value ends at blank or `;`.
        case formData
    }

    let parameters: [Parameter]

    /// The most parameters of one list: each name is compared with all before it.
    static let maximumCount = 32

    /// Reads to the end of the cursor, which stands behind the leading word; nil when the list is malformed, too long or
    /// names a parameter twice. Empty entries are passed over.
    init?(_ cursor: inout ByteCursor, dialect: Dialect) {
        var parameters: [Parameter] = []
        while true {
            cursor.skipBlanks()
            if cursor.isAtEnd { break }
            guard cursor.consume(ASCII.semicolon) else { return nil }
            cursor.skipBlanks()
            if cursor.isAtEnd || cursor.peek == ASCII.semicolon { continue }
            let name = ASCII.lowercased(cursor.take(while: ASCII.isToken))
            guard name.isEmpty == false, cursor.consume(ASCII.equals), parameters.count < Self.maximumCount,
                parameters.contains(where: { $0.name == name }) == false,
                let value = Self.value(&cursor, dialect: dialect)
            else { return nil }
            parameters.append(Parameter(name: name, value: value))
        }
        self.parameters = parameters
    }

    /// The value of a parameter, whose name is given in lower case.
    subscript(_ name: StaticString) -> [UInt8]? {
        parameters.first { ASCII.equals($0.name, lowercase: name) }?.value
    }

    private static func value(_ cursor: inout ByteCursor, dialect: Dialect) -> [UInt8]? {
        if cursor.consume(ASCII.quote) { return quoted(&cursor, dialect: dialect) }
        let value =
            switch dialect {
            case .standard: cursor.take(while: ASCII.isToken)
            case .formData:
                cursor.take { $0 > ASCII.space && $0 != 0x7F && $0 != ASCII.semicolon && $0 != ASCII.quote }
            }
        return value.isEmpty ? nil : Array(value)
    }

    private static func quoted(_ cursor: inout ByteCursor, dialect: Dialect) -> [UInt8]? {
        var value: [UInt8] = []
        while let byte = cursor.next() {
            switch byte {
            case ASCII.quote:
                return value
            case ASCII.backslash where dialect == .standard:
                guard let escaped = cursor.next(), isQuotable(escaped) else { return nil }
                value.append(escaped)
            case ASCII.backslash:
                if cursor.consume(ASCII.quote) {
                    value.append(ASCII.quote)
                } else {
                    _ = cursor.consume(ASCII.backslash)
                    value.append(ASCII.backslash)
                }
            default:
                guard isQuotable(byte) else { return nil }
                value.append(byte)
            }
        }
        return nil
    }

    private static func isQuotable(_ byte: UInt8) -> Bool {
        byte == ASCII.tab || ASCII.isControl(byte) == false
    }
}
