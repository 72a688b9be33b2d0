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

    /// Checks the condition against the file as it is; nil where there is none. A folder has no revision, and counts as none.
    ///
    /// `If-Unmodified-Since` is ignored where `If-Match` is present (RFC 9110 section 13.1.4), and fails where nothing exists. What was
    /// moved to a path was modified then, however old its bytes are.
    ///
    /// - Throws: ``StorageError/Code/preconditionFailed`` when it does not hold.
    public func check(_ current: FileRecord?) throws {
        let revision = current?.revision?.id
        if let ifMatch {
            guard ifMatch.matches(revision) else { throw Self.failed("If-Match") }
        } else if let ifUnmodifiedSince {
            guard let current, revision != nil, current.modifiedAt.seconds <= ifUnmodifiedSince.seconds else {
                throw Self.failed("If-Unmodified-Since")
            }
        }
        if let ifNoneMatch, ifNoneMatch.matches(revision) { throw Self.failed("If-None-Match") }
    }

    private static func failed(_ field: String) -> StorageError {
        StorageError(.preconditionFailed, "The condition of \(field) does not hold for the current state of the file.")
    }
}
