/// A dictionary of structured fields (RFC 9651 section 3.2): every member is read, those that are bytes or numbers are kept as such.
struct StructuredDictionary: Equatable, Sendable {
    /// The value of a member, as far as anybody here wants to know it.
    enum Value: Equatable, Sendable {
        case bytes([UInt8])
        case integer(Int64)
        /// The key alone.
        case bare
        /// Well formed, but nothing of the above.
        case other
    }

    /// The longest field, all lines together, that is read.
    static let maximumBytes = 8 * 1024

    private var members: [[UInt8]: Value] = [:]

    /// Reads all lines of one field; nil when they are malformed together. A key that comes again replaces the one before.
    init?(_ lines: [String]) {
        guard lines.reduce(0, { $0 &+ $1.utf8.count &+ 2 }) <= Self.maximumBytes else { return nil }
        var cursor = StructuredCursor(lines.joined(separator: ", "))
        cursor.skipSpaces()
        while !cursor.isAtEnd {
            guard let key = cursor.key(), let value = cursor.memberValue() else { return nil }
            members[key] = value
            cursor.skipBlanks()
            if cursor.isAtEnd { break }
            guard cursor.consume(ASCII.comma) else { return nil }
            cursor.skipBlanks()
            if cursor.isAtEnd { return nil }
        }
    }

    var isEmpty: Bool { members.isEmpty }

    subscript(key: StaticString) -> Value? {
        key.withUTF8Buffer { members[Array($0)] }
    }
}
