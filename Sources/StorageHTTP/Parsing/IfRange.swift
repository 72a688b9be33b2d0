/// The value of `If-Range` (RFC 9110 section 13.1.5).
enum IfRange: Equatable, Sendable {
    case tag(EntityTag)
    /// Seconds since 1970.
    case date(Int64)

    /// Reads the header; nil when it is neither a tag nor a date, which then matches nothing: the whole file is sent.
    static func parse(_ value: String, now: Int64) -> IfRange? {
        guard value.utf8.count <= EntityTagCondition.maximumBytes else { return nil }
        let trimmed = Array(ASCII.trimmed(Array(value.utf8)))
        var cursor = ByteCursor(trimmed)
        if let tag = EntityTag(&cursor) { return cursor.isAtEnd ? .tag(tag) : nil }
        return HTTPDate.parse(String(decoding: trimmed, as: UTF8.self), now: now).map { .date($0) }
    }

    /// True when the ranges may be sent: the same strong tag, or exactly the same second.
    func isSatisfied(tag current: EntityTag, lastModified: Int64) -> Bool {
        switch self {
        case .tag(let tag): tag.matchesStrongly(current)
        case .date(let date): date == lastModified
        }
    }
}
