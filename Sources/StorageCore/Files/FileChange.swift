/// One change to the files of a container, made in one durable transaction.
///
/// The preconditions are decided inside the transaction. A new ability is a new case, not a new method.
public enum FileChange: Hashable, Sendable {
    /// Points a path at uploaded bytes.
    case put(Put)
    /// Makes a folder and those above it; an existing one is fine.
    case makeFolder(ContainerID, FilePath)
    /// Deletes a file, or a folder that is empty.
    case delete(FileSelector, Precondition)
    /// Deletes up to `limit` entries below a folder, the deepest last, and the folder itself when nothing is left below it.
    ///
    /// Repeated until its result says that nothing is left.
    case deleteTree(ContainerID, FilePath, limit: Int)
    /// Gives a file or folder another path.
    case move(Relocation)
    /// Gives a file's current bytes another path as well.
    case copy(Relocation)

    /// Bytes that become the current revision of a path.
    public struct Put: Hashable, Sendable {
        /// The attempt that is settled by this change.
        public var upload: UploadID
        /// The claimed blob that holds the bytes.
        public var blob: BlobID
        /// The container that the path is in.
        public var container: ContainerID
        /// Where the file is or will be.
        public var path: FilePath
        /// What the bytes are.
        public var mediaType: MediaType
        /// The name that they were sent under.
        public var sentName: String?
        /// The sort, for listings.
        public var kind: FileKind
        /// What must hold.
        public var precondition: Precondition
        /// Makes the file readable without credentials under this name.
        public var link: Link?
        /// How many older revisions stay beside the new one.
        public var keepRevisions: Int

        /// Describes the change.
        public init(
            upload: UploadID, blob: BlobID, container: ContainerID, path: FilePath, mediaType: MediaType, sentName: String?,
            kind: FileKind, precondition: Precondition, link: Link? = nil, keepRevisions: Int
        ) {
            self.upload = upload
            self.blob = blob
            self.container = container
            self.path = path
            self.mediaType = mediaType
            self.sentName = sentName
            self.kind = kind
            self.precondition = precondition
            self.link = link
            self.keepRevisions = keepRevisions
        }
    }

    /// From where to where.
    public struct Relocation: Hashable, Sendable {
        /// The file or folder.
        public var source: FileSelector
        /// Its new path, in the same container.
        public var target: FilePath
        /// The sort that the new name gives a file; nil keeps the old one.
        public var kind: FileKind?
        /// Whether a file at the target may be replaced.
        public var overwrite: Bool
        /// What must hold of the source.
        public var precondition: Precondition
        /// How many older revisions stay beside the new one when a file is replaced by a copy.
        public var keepRevisions: Int

        /// Describes the change.
        public init(
            source: FileSelector, target: FilePath, kind: FileKind?, overwrite: Bool, precondition: Precondition,
            keepRevisions: Int
        ) {
            self.source = source
            self.target = target
            self.kind = kind
            self.overwrite = overwrite
            self.precondition = precondition
            self.keepRevisions = keepRevisions
        }
    }

    /// The most entries that a folder may have below it to be moved in one transaction.
    public static let largestMove = 10_000
}

/// What a change did.
public enum FileChangeResult: Hashable, Sendable {
    /// A path that had nothing has this now.
    case created(FileRecord)
    /// The entry was there and is now this; also when it is as it was.
    case updated(FileRecord)
    /// Deleted; the number of entries that are still there of those that were meant.
    case deleted(remaining: Int)
    /// The blob may no longer be referred to: claim anew and write the bytes again. Nothing was changed.
    case blobLost

    /// The entry that is there now, where there is one.
    public var record: FileRecord? {
        switch self {
        case .created(let record), .updated(let record): record
        case .deleted, .blobLost: nil
        }
    }
}
