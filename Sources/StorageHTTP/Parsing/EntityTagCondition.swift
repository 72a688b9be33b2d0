/// The value of `If-Match` or `If-None-Match` (RFC 9110 sections 13.1.1 and 13.1.2).
enum EntityTagCondition: Equatable, Sendable {
    /// `*`: any current revision.
    case any
    /// At least one tag.
    case tags([EntityTag])

    /// The longest header, all lines together, that is read.
    static let maximumBytes = 8 * 1024

    /// Reads all values of one header name; nil when it was not sent. Anything malformed is an error, because a condition
    /// that is overlooked would let a lost update through.
    static func parse(_ values: [String]) throws(ParseError) -> EntityTagCondition? {
        guard values.isEmpty == false else { return nil }
        guard values.reduce(0, { $0 &+ $1.utf8.count }) <= maximumBytes else { throw malformed }
        if values.count == 1, ASCII.trimmed(Array(values[0].utf8)).elementsEqual([ASCII.asterisk]) { return .any }
        var tags: [EntityTag] = []
        for value in values {
            var cursor = ByteCursor(value)
            while true {
                cursor.skipBlanks()
                if cursor.isAtEnd { break }
                if cursor.consume(ASCII.comma) { continue }
                guard let tag = EntityTag(&cursor) else { throw malformed }
                tags.append(tag)
                cursor.skipBlanks()
                guard cursor.isAtEnd || cursor.consume(ASCII.comma) else { throw malformed }
            }
        }
        guard tags.isEmpty == false else { throw malformed }
        return .tags(tags)
    }

    /// True when `If-Match` lets the request through; `current` is nil when there is no file.
    func isMatched(by current: EntityTag?) -> Bool {
        guard let current else { return false }
        switch self {
        case .any: return true
        case .tags(let tags): return tags.contains { $0.matchesStrongly(current) }
        }
    }

    /// True when `If-None-Match` finds the file unchanged: 304 for a download, 412 for a change.
    func isMatchedWeakly(by current: EntityTag?) -> Bool {
        guard let current else { return false }
        switch self {
        case .any: return true
        case .tags(let tags): return tags.contains { $0.matchesWeakly(current) }
        }
    }

    private static let malformed = ParseError(
        .invalidPrecondition, "If-Match and If-None-Match take * or a list of quoted entity tags, such as \"abc\".")
}
