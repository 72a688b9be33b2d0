/// What a metadata store says of one blob when it is compared with the blob store.
public struct BlobInspection: Hashable, Sendable {
    /// The row.
    public let blob: BlobRecord
    /// Whether a revision refers to it.
    public let isReferenced: Bool
    /// Whether the collector will look at it.
    public let isReleased: Bool

    /// Describes a row.
    public init(blob: BlobRecord, isReferenced: Bool, isReleased: Bool) {
        self.blob = blob
        self.isReferenced = isReferenced
        self.isReleased = isReleased
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

    /// Describes a container.
    public init(
        id: ContainerID, recorded: Usage, counted: Usage, recordedReservations: Int64, countedReservations: Int64
    ) {
        self.id = id
        self.recorded = recorded
        self.counted = counted
        self.recordedReservations = recordedReservations
        self.countedReservations = countedReservations
    }

    /// Whether the running counts are exact.
    public var isExact: Bool {
        recorded.bytes == counted.bytes && recorded.files == counted.files
            && recorded.revisionBytes == counted.revisionBytes && recordedReservations == countedReservations
    }
}
