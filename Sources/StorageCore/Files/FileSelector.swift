/// Which file or folder is meant.
public enum FileSelector: Hashable, Sendable {
    /// The entry at this path of the container.
    case path(ContainerID, FilePath)
    /// The entry with this id, if it lies in the container.
    case id(ContainerID, FileID)
    /// The file with this id as it was with this revision, the current one or an older one that is kept: where it is now, with the
    /// revision's bytes, and modified when that was made. For questions; a change finds nothing under it.
    case revision(ContainerID, FileID, RevisionID)
    /// The file that was published under this name, the oldest publication first; whoever asks.
    case link(Link)

    /// The container that the entry lies in, where the selector tells.
    package var container: ContainerID? {
        switch self {
        case .path(let container, _), .id(let container, _), .revision(let container, _, _): container
        case .link: nil
        }
    }
}

/// A question for the entries of a container, answered in byte order of the path.
public struct ListQuery: Hashable, Sendable {
    /// Which part of the tree.
    public enum Scope: Hashable, Sendable {
        /// All files whose path starts with these bytes, which may be none; folders are left out.
        case files(prefix: [UInt8])
        /// The direct entries of one folder, folders included; nil for the root.
        case folder(FilePath?)
        /// Everything below a folder, folders included, each before what is in it.
        case tree(FilePath)
    }

    /// The container whose entries are asked for.
    public var container: ContainerID
    /// Which part of the tree.
    public var scope: Scope
    /// Only files of this sort, where given.
    public var kind: FileKind?
    /// Only entries behind this path: the last of the page before.
    public var after: FilePath?
    /// The most entries of one page, 1 to 1,000.
    public var limit: Int

    /// Asks for a page.
    public init(
        container: ContainerID, scope: Scope = .files(prefix: []), kind: FileKind? = nil, after: FilePath? = nil,
        limit: Int = 1_000
    ) {
        self.container = container
        self.scope = scope
        self.kind = kind
        self.after = after
        self.limit = limit
    }
}

/// One page of a longer answer.
public struct Page<Element: Sendable>: Sendable {
    /// The entries of this page.
    public let entries: [Element]
    /// Whether there were more when the page was read.
    public let hasMore: Bool

    /// Makes a page.
    public init(entries: [Element], hasMore: Bool) {
        self.entries = entries
        self.hasMore = hasMore
    }
}

/// What a container holds.
public struct Usage: Hashable, Sendable {
    /// Bytes of the current revisions.
    public var bytes: Int64
    /// Number of files, folders not counted.
    public var files: Int64
    /// Bytes of the older revisions that are kept.
    public var revisionBytes: Int64
    /// The most bytes allowed; nil for no limit.
    public var limitBytes: Int64?
    /// The most files allowed; nil for no limit.
    public var limitFiles: Int64?

    /// Describes what a container holds.
    public init(
        bytes: Int64 = 0, files: Int64 = 0, revisionBytes: Int64 = 0, limitBytes: Int64? = nil, limitFiles: Int64? = nil
    ) {
        self.bytes = bytes
        self.files = files
        self.revisionBytes = revisionBytes
        self.limitBytes = limitBytes
        self.limitFiles = limitFiles
    }
}
