/// A search through the files of a container.
public struct FileSearch: Sendable {
    /// What the files are ordered by, the least first; equal ones by their paths. Texts are compared as bytes.
    public enum Order: String, Sendable, CaseIterable {
        /// The last segment of the path.
        case name
        /// The whole path.
        case path
        /// The number of bytes.
        case size
        /// When the path was first written.
        case createdAt = "created_at"
        /// When the content or the place last changed.
        case modifiedAt = "modified_at"
    }

    /// The most files that are found at once.
    public static let largestLimit = 1_000
    /// How many are found where nothing is said.
    public static let usualLimit = 100

    /// Only files below this folder; nil for all.
    public var folder: FilePath?
    /// The end of the name behind its dot; nil for any.
    public var suffix: [UInt8]?
    /// What is looked for in names.
    public var pattern: NamePattern
    /// Of more files than the limit the first are found.
    public var order: Order
    /// The most files that are found, 1 to ``largestLimit``.
    public var limit: Int

    /// Describes a search.
    public init(
        folder: FilePath? = nil, suffix: [UInt8]? = nil, pattern: NamePattern = .any, order: Order = .path,
        limit: Int = usualLimit
    ) {
        self.folder = folder
        self.suffix = suffix
        self.pattern = pattern
        self.order = order
        self.limit = min(max(limit, 1), Self.largestLimit)
    }
}

extension FileSearch.Order {
    /// Whether a file comes before another one.
    func precedes(_ one: FileRecord, _ other: FileRecord) -> Bool {
        switch self {
        case .path: break
        case .name:
            guard one.path.name.elementsEqual(other.path.name) else {
                return one.path.name.lexicographicallyPrecedes(other.path.name)
            }
        case .size:
            let (size, otherSize) = (one.revision?.size ?? 0, other.revision?.size ?? 0)
            guard size == otherSize else { return size < otherSize }
        case .createdAt:
            guard one.createdAt == other.createdAt else { return one.createdAt < other.createdAt }
        case .modifiedAt:
            guard one.modifiedAt == other.modifiedAt else { return one.modifiedAt < other.modifiedAt }
        }
        return one.path < other.path
    }
}
