/// One change to the files of a container, made in one durable transaction.
///
/// The preconditions are decided inside the transaction, and a change that is refused leaves everything as it was, the folders
/// above its path included. A new ability is a new case, not a new method.
///
/// Folders above a path that is written are made when they are missing; a file among them is
/// ``StorageError/Code/pathConflict``. An empty folder never blocks a file: it is replaced. A container that does not exist or
/// is closed, and an entry that is not there, are ``StorageError/Code/notFound``.
///
/// Where a limit is in force, a change that lets a container grow beyond it is ``StorageError/Code/quotaExceeded``. Older
/// revisions, the oldest first, give way before that; what other uploads have set aside does not.
public enum FileChange: Hashable, Sendable {
    /// Points a path at uploaded bytes.
    ///
    /// - An upload that is committed already gives what it made again, as that is now, and changes nothing; where it is gone,
    ///   ``FileChangeResult/deleted(remaining:)``.
    /// - A folder with entries at the path is ``StorageError/Code/pathConflict``.
    /// - The upload must be claimed and not given up, the blob pending or live: it becomes live. Otherwise the result is
    ///   ``FileChangeResult/blobLost``.
    /// - The same blob, type and sent name (as bytes) as the current revision make no new one: only the link is added.
    /// - Otherwise a new revision becomes current. The links of the one before end, the oldest beyond
    ///   ``Put/keepRevisions`` go.
    /// - Every revision of a corrupt life of the same content gets the blob, which was just proved whole.
    case put(Put)
    /// Makes a folder and those above it; an existing one is fine, a file is ``StorageError/Code/pathConflict``.
    case makeFolder(ContainerID, FilePath)
    /// Deletes a file with its revisions and links, or a folder that is empty.
    ///
    /// A folder with entries is ``StorageError/Code/folderNotEmpty``; a folder has no revision for a precondition to match.
    case delete(FileSelector, Precondition)
    /// Deletes up to `limit` entries below a folder, in reverse byte order of their paths so that none is ever without the
    /// folder above it, and the folder itself when nothing is left below; a file as ``delete(_:_:)`` does.
    ///
    /// Repeated until its result says that nothing is left.
    case deleteTree(ContainerID, FilePath, limit: Int)
    /// Gives a file or folder another path; a folder moves with everything below.
    ///
    /// - Ids, revisions and links stay. The path that it has already changes nothing.
    /// - A file at the target is ``StorageError/Code/exists`` unless it may be replaced. Then it is deleted; a folder that would
    ///   replace it is ``StorageError/Code/pathConflict``.
    /// - A folder with entries at the target is ``StorageError/Code/exists`` for a folder and
    ///   ``StorageError/Code/pathConflict`` for a file.
    /// - A folder into itself is ``StorageError/Code/pathConflict``, one with more than ``largestMove`` entries
    ///   ``StorageError/Code/unprocessable``, one below which a path would become too long
    ///   ``StorageError/Code/invalidPath``.
    case move(Relocation)
    /// Gives a file's current bytes, with type and sent name, another path as well; nothing is published.
    ///
    /// - A new file with an id of its own, or, where a file may be replaced, a new revision of that; else
    ///   ``StorageError/Code/exists``. Onto itself changes nothing.
    /// - A folder is ``StorageError/Code/unprocessable``, bytes that are not live ``StorageError/Code/corrupt``.
    case copy(Relocation)
    /// Makes the bytes of a kept revision of a file current again, with their type and sent name; nothing is published.
    ///
    /// - As a ``put(_:)`` of the same content: a new revision, whose blob is checked in this transaction, with all that an overwrite
    ///   does to older ones; none when the current one has that content already.
    /// - The current revision itself changes nothing.
    /// - A folder, and a revision that is not one of the file's, are ``StorageError/Code/notFound``, bytes that are not live
    ///   ``StorageError/Code/corrupt``.
    case restore(Restoration)

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
        /// The limits of a container that has none of its own.
        public var limits: ContainerLimits

        /// Describes the change.
        public init(
            upload: UploadID, blob: BlobID, container: ContainerID, path: FilePath, mediaType: MediaType,
            sentName: String?,
            kind: FileKind, precondition: Precondition, link: Link? = nil, keepRevisions: Int,
            limits: ContainerLimits = .none
        ) {
            self.limits = limits
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
        /// The limits of a container that has none of its own.
        public var limits: ContainerLimits

        /// Describes the change.
        public init(
            source: FileSelector, target: FilePath, kind: FileKind?, overwrite: Bool, precondition: Precondition,
            keepRevisions: Int, limits: ContainerLimits = .none
        ) {
            self.limits = limits
            self.source = source
            self.target = target
            self.kind = kind
            self.overwrite = overwrite
            self.precondition = precondition
            self.keepRevisions = keepRevisions
        }
    }

    /// Which revision becomes the current one again.
    public struct Restoration: Hashable, Sendable {
        /// The container that the file is in.
        public var container: ContainerID
        /// The file.
        public var file: FileID
        /// One of its revisions.
        public var revision: RevisionID
        /// What must hold of the current revision.
        public var precondition: Precondition
        /// How many older revisions stay beside the new one.
        public var keepRevisions: Int
        /// The limits of a container that has none of its own.
        public var limits: ContainerLimits

        /// Describes the change.
        public init(
            container: ContainerID, file: FileID, revision: RevisionID, precondition: Precondition,
            keepRevisions: Int, limits: ContainerLimits = .none
        ) {
            self.limits = limits
            self.container = container
            self.file = file
            self.revision = revision
            self.precondition = precondition
            self.keepRevisions = keepRevisions
        }
    }

    /// Refuses a change of what only questions can be asked about.
    ///
    /// - Throws: ``StorageError/Code/notFound`` where the entry is named by a revision.
    package func checkSelector() throws {
        let selector: FileSelector? =
            switch self {
            case .delete(let selector, _): selector
            case .move(let relocation), .copy(let relocation): relocation.source
            case .put, .makeFolder, .deleteTree, .restore: nil
            }
        if case .revision = selector { throw StorageError.noSuchFile }
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
    /// Deleted; 0 when nothing of what was meant is left, else at least as many entries are.
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
