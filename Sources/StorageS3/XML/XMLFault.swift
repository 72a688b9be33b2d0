/// Why bytes are no XML that is read here. Says nothing of what they were.
enum XMLFault: Error, Equatable, Sendable {
    /// Longer than a limit, as a whole or in a part.
    case tooLong
    /// More elements within each other than the limit.
    case tooDeep
    /// Not UTF-8.
    case notText
    /// A document type or another declaration: entities are never read.
    case declaration
    /// A reference to an entity beyond the five, or to no character.
    case reference
    /// Ended before its root element did.
    case incomplete
    /// Anything else that no XML is.
    case malformed
}
