/// The lasting name of one attempt to store a body: what a lost answer to its commit is looked up by.
public typealias UploadID = Identifier<UploadClaim>
/// The lasting name of one life of a blob.
public typealias BlobID = Identifier<BlobRecord>

/// Asks for the right to write a blob's key.
public struct UploadClaim: Hashable, Sendable {
    /// The attempt; its row is made by the claim unless it exists.
    public let upload: UploadID
    /// The container that the upload is for.
    public let container: ContainerID
    /// The space that the bytes go to.
    public let space: Space
    /// The digest of the bytes.
    public let digest: BlobDigest
    /// The number of bytes.
    public let size: Int64
    /// How long the claim holds without being renewed, in microseconds of the database's clock.
    public let lease: Int64

    /// 15 minutes: far more than the pause between two heartbeats.
    public static let lease: Int64 = 15 * 60 * 1_000_000

    /// Asks for a claim.
    public init(
        upload: UploadID, container: ContainerID, space: Space, digest: BlobDigest, size: Int64,
        lease: Int64 = UploadClaim.lease
    ) {
        self.upload = upload
        self.container = container
        self.space = space
        self.digest = digest
        self.size = size
        self.lease = lease
    }
}

/// The life of a blob that an upload may refer to.
public struct ClaimedBlob: Hashable, Sendable {
    /// The row.
    public let id: BlobID
    /// Where the bytes lie or are to be written.
    public let key: BlobKey
    /// Whether the bytes are known to be whole and durable already; when not, the caller must write them, whoever else does.
    public let isLive: Bool

    /// Describes a claim that was granted.
    public init(id: BlobID, key: BlobKey, isLive: Bool) {
        self.id = id
        self.key = key
        self.isLive = isLive
    }
}

/// One life of a blob, as the database knows it.
public struct BlobRecord: Hashable, Sendable {
    /// The states of a blob's life.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Claimed; bytes may be on their way.
        case pending
        /// Durable; may be referred to.
        case live
        /// Its deletion is authorised; never written again.
        case doomed
        /// Deleted; the row keeps generation 0 from being used again.
        case gone
        /// Found wrong; never served.
        case corrupt
    }

    /// The row.
    public let id: BlobID
    /// Where the bytes lie.
    public let key: BlobKey
    /// The number of bytes.
    public let size: Int64
    /// Where in its life it is.
    public let state: State

    /// Describes a row.
    public init(id: BlobID, key: BlobKey, size: Int64, state: State) {
        self.id = id
        self.key = key
        self.size = size
        self.state = state
    }
}

/// What is known of an upload whose commit was not answered.
public enum UploadOutcome: Hashable, Sendable {
    /// The commit took effect; this is what it made, as that is now.
    case committed(FileChangeResult)
    /// The upload is known and did not take effect: the commit may be tried again.
    case open
    /// Nothing is known of the upload: it begins again with the claim.
    case unknown
}

extension StorageError {
    /// The refusal to commit an upload into another container than the one that it was claimed or reserved for: in this one there is
    /// none.
    package static let uploadOfAnotherContainer = StorageError(
        .notFound, "There is no such upload in this container.")
}
