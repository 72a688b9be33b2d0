/// What must hold of the present state for a change or an answer (RFC 9110 section 13).
///
/// For changes it is decided inside the commit, so that of many simultaneous changes with the same condition one wins.
public struct Precondition: Hashable, Sendable {
    /// Which revisions a tag list names.
    public enum Tags: Hashable, Sendable {
        /// `*`: any current revision.
        case any
        /// One of these; a tag of no known form names no revision and is left out.
        case revisions([RevisionID])

        func matches(_ current: RevisionID?) -> Bool {
            guard let current else { return false }
            return switch self {
            case .any: true
            case .revisions(let revisions): revisions.contains(current)
            }
        }
    }

    /// No condition at all.
    public static let none = Precondition()

    /// Must match the current revision.
    public var ifMatch: Tags?
    /// Must not match the current revision.
    public var ifNoneMatch: Tags?
    /// Must not have changed after this moment; whole seconds.
    public var ifUnmodifiedSince: Timestamp?

    /// Makes a condition of those parts that are given.
    public init(ifMatch: Tags? = nil, ifNoneMatch: Tags? = nil, ifUnmodifiedSince: Timestamp? = nil) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
        self.ifUnmodifiedSince = ifUnmodifiedSince
    }

    /// Checks the condition against the current revision; nil where there is none.
    ///
    /// `If-Unmodified-Since` is ignored where `If-Match` is present (RFC 9110 section 13.1.4), and fails where nothing exists.
    ///
    /// - Throws: ``StorageError/Code/preconditionFailed`` when it does not hold.
    public func check(_ current: Revision?) throws {
        if let ifMatch {
            guard ifMatch.matches(current?.id) else { throw Self.failed("If-Match") }
        } else if let ifUnmodifiedSince {
            guard let current, current.createdAt.seconds <= ifUnmodifiedSince.seconds else {
                throw Self.failed("If-Unmodified-Since")
            }
        }
        if let ifNoneMatch, ifNoneMatch.matches(current?.id) { throw Self.failed("If-None-Match") }
    }

    private static func failed(_ field: String) -> StorageError {
        StorageError(.preconditionFailed, "The condition of \(field) does not hold for the current state of the file.")
    }
}
