/// How much a container may hold.
public struct ContainerLimits: Hashable, Sendable {
    /// Bytes of the current revisions and, as far as they do not give way, of the older ones; nil where nothing is said.
    public var bytes: Int64?
    /// Number of files; nil where nothing is said.
    public var files: Int64?

    /// Nothing is said.
    public static let none = ContainerLimits()
    /// Stands for "no limit", said on purpose: a default does not apply.
    public static let unlimited = Int64.max

    /// Sets limits.
    public init(bytes: Int64? = nil, files: Int64? = nil) {
        self.bytes = bytes
        self.files = files
    }

    /// The limits in force: these, and the defaults where these say nothing. Nil means no limit.
    public func inForce(defaults: ContainerLimits) -> ContainerLimits {
        func limit(_ own: Int64?, _ given: Int64?) -> Int64? {
            let limit = own ?? given
            return limit == Self.unlimited ? nil : limit
        }
        return ContainerLimits(bytes: limit(bytes, defaults.bytes), files: limit(files, defaults.files))
    }
}

/// Asks for room in a container, for a body that is about to come.
public struct UploadReservation: Hashable, Sendable {
    /// The attempt that the room is for.
    public let upload: UploadID
    /// The container.
    public let container: ContainerID
    /// The fewest bytes that help.
    public let needed: Int64
    /// The bytes that would be best; not less than ``needed``.
    public let wanted: Int64
    /// Whether the file is new, as far as anybody knows.
    public let addsFile: Bool
    /// The limits of a container that has none of its own.
    public let limits: ContainerLimits

    /// Asks for room.
    public init(
        upload: UploadID, container: ContainerID, needed: Int64, wanted: Int64, addsFile: Bool, limits: ContainerLimits
    ) {
        self.upload = upload
        self.container = container
        self.needed = needed
        self.wanted = wanted
        self.addsFile = addsFile
        self.limits = limits
    }
}

extension StorageError {
    /// A container's limit leaves no room.
    public static func quotaExceeded(_ limits: ContainerLimits) -> StorageError {
        let parts = [limits.bytes.map { "\($0) bytes" }, limits.files.map { "\($0) files" }].compactMap { $0 }
        return StorageError(
            .quotaExceeded,
            "There is no room left in the container: it may hold \(parts.joined(separator: " and ")). Delete something first."
        )
    }
}
