/// A file or folder as it is at a moment.
public struct FileRecord: Hashable, Sendable {
    /// What a record stands for.
    public enum Entry: Hashable, Sendable {
        /// Holds other entries; exists by itself and may be empty.
        case folder
        /// Has bytes: those of its current revision.
        case file(Revision)
    }

    /// The file's name that never changes, across overwrites and moves.
    public let id: FileID
    /// The container that it lies in.
    public let container: ContainerID
    /// Where in the container.
    public let path: FilePath
    /// Folder, or file with its current revision.
    public let entry: Entry
    /// The sort, for listings; ``FileKind/other`` for a folder.
    public let kind: FileKind
    /// When the path was first written.
    public let createdAt: Timestamp
    /// When the content or the place last changed.
    public let modifiedAt: Timestamp

    /// Describes a file or folder.
    public init(
        id: FileID, container: ContainerID, path: FilePath, entry: Entry, kind: FileKind, createdAt: Timestamp,
        modifiedAt: Timestamp
    ) {
        self.id = id
        self.container = container
        self.path = path
        self.entry = entry
        self.kind = kind
        self.createdAt = createdAt
        self.modifiedAt = modifiedAt
    }

    /// The current revision; nil for a folder.
    public var revision: Revision? {
        if case .file(let revision) = entry { revision } else { nil }
    }

    /// Whether this is a folder.
    public var isFolder: Bool { entry == .folder }
}

/// An immutable version of a file.
public struct Revision: Hashable, Sendable {
    /// What an entity tag shows.
    public let id: RevisionID
    /// Where the bytes lie.
    public let blob: BlobKey
    /// The number of bytes.
    public let size: Int64
    /// What the client said it is, or what its name says.
    public let mediaType: MediaType
    /// The name that the client sent the bytes under: any valid UTF-8 without control characters; nil when there was none.
    public let sentName: String?
    /// When it became current.
    public let createdAt: Timestamp
    /// Whether its bytes are, as far as anybody knows, what they were; false once they were found damaged.
    public let isIntact: Bool

    /// Describes a version.
    public init(
        id: RevisionID, blob: BlobKey, size: Int64, mediaType: MediaType, sentName: String?, createdAt: Timestamp,
        isIntact: Bool = true
    ) {
        self.id = id
        self.blob = blob
        self.size = size
        self.mediaType = mediaType
        self.sentName = sentName
        self.createdAt = createdAt
        self.isIntact = isIntact
    }
}

/// The lasting name of a file or folder.
public typealias FileID = Identifier<FileRecord>
/// The name of one version of a file.
public typealias RevisionID = Identifier<Revision>
