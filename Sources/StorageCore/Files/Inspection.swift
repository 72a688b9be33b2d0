/// Which blobs are inspected.
public enum BlobSelection: Hashable, Sendable {
    /// At most `limit` of all there are, in the order of their ids, from behind the given one.
    case page(after: BlobID?, limit: Int)
    /// Those that lie, or lay, under these keys, in no particular order; a key without a row is left out. At most
    /// ``keyLimit`` keys, so that it is one statement of a known size.
    case keys([BlobKey])

    /// As many keys may be asked for at once.
    public static let keyLimit = 200
}

/// What a metadata store says of one blob when it is compared with the blob store.
public struct BlobInspection: Hashable, Sendable {
    /// The row.
    public let blob: BlobRecord
    /// Whether a revision refers to it.
    public let isReferenced: Bool
    /// Whether the collector will look at it.
    public let isReleased: Bool
    /// For how long it has been in its state, in microseconds of the store's clock; being handed to another collector does not
    /// make a doomed blob younger.
    public let stateAge: Int64
    /// How long ago the claim of a pending blob ended, in microseconds of the store's clock: negative while it holds, nil in every
    /// other state.
    public let claimAge: Int64?

    /// Describes a row.
    public init(blob: BlobRecord, isReferenced: Bool, isReleased: Bool, stateAge: Int64, claimAge: Int64?) {
        self.blob = blob
        self.isReferenced = isReferenced
        self.isReleased = isReleased
        self.stateAge = stateAge
        self.claimAge = claimAge
    }
}

/// What a container is said to hold beside what it holds.
public struct ContainerInspection: Hashable, Sendable {
    /// The container.
    public let id: ContainerID
    /// What the running count says.
    public let recorded: Usage
    /// What counting its files and revisions gives.
    public let counted: Usage
    /// The bytes that the running count has set aside for uploads.
    public let recordedReservations: Int64
    /// The sum over the uploads themselves.
    public let countedReservations: Int64
    /// How long ago the one of its uncommitted uploads that has been silent for longest gave a sign of life, in microseconds of the
    /// store's clock; nil when there is none.
    public let longestSilence: Int64?
    /// How many of its files say something else of their current revision than that says itself: of a store that keeps both.
    public let miscopiedFiles: Int

    /// Describes a container.
    public init(
        id: ContainerID, recorded: Usage, counted: Usage, recordedReservations: Int64, countedReservations: Int64,
        longestSilence: Int64?, miscopiedFiles: Int = 0
    ) {
        self.id = id
        self.recorded = recorded
        self.counted = counted
        self.recordedReservations = recordedReservations
        self.countedReservations = countedReservations
        self.longestSilence = longestSilence
        self.miscopiedFiles = miscopiedFiles
    }

    /// Whether the running counts are exact.
    public var isExact: Bool {
        recorded.bytes == counted.bytes && recorded.files == counted.files
            && recorded.revisionBytes == counted.revisionBytes && recordedReservations == countedReservations
    }
}
