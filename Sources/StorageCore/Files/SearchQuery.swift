/// A question for the files of a container by their names, answered stretch by stretch in byte order of the path.
public struct SearchQuery: Hashable, Sendable {
    /// The container whose files are asked for.
    public var container: ContainerID
    /// Only files below this folder; nil for all.
    public var folder: FilePath?
    /// Bytes that the name must have in it; none for any name.
    public var text: [UInt8]
    /// What must stand at the end of the name, behind a dot that does not begin it; ASCII letters of either case are the same. Nil
    /// for any name.
    public var suffix: [UInt8]?
    /// Only files behind this path: the end of the stretch before.
    public var after: FilePath?
    /// The most files of one answer, at least 1.
    public var limit: Int
    /// The most entries, folders included, that are looked at for one answer, at least 1.
    public var stretch: Int

    /// Asks for a stretch.
    public init(
        container: ContainerID, folder: FilePath? = nil, text: [UInt8] = [], suffix: [UInt8]? = nil,
        after: FilePath? = nil, limit: Int = 1_000, stretch: Int = 1_000
    ) {
        self.container = container
        self.folder = folder
        self.text = text
        self.suffix = suffix
        self.after = after
        self.limit = limit
        self.stretch = stretch
    }

    /// Whether a name is one that is asked for.
    package func selects(_ name: ArraySlice<UInt8>) -> Bool {
        (text.isEmpty || name.hasRun(text)) && (suffix.map { Self.isExtension($0, of: name) } ?? true)
    }

    private static func isExtension(_ suffix: [UInt8], of name: ArraySlice<UInt8>) -> Bool {
        guard name.count >= suffix.count + 2, name[name.endIndex - suffix.count - 1] == UInt8(ascii: ".") else {
            return false
        }
        return zip(name.suffix(suffix.count), suffix).allSatisfy { lowercase($0) == lowercase($1) }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// A part of a long walk through the entries of a container, in byte order of their paths.
public struct Stretch<Element: Sendable>: Sendable {
    /// What was found on it.
    public let entries: [Element]
    /// The path behind which the walk goes on; nil when it is over.
    public let end: FilePath?

    /// Describes a part.
    public init(entries: [Element], end: FilePath?) {
        self.entries = entries
        self.end = end
    }
}

/// What lies below a folder at the root of a container, at any depth.
public struct FolderUsage: Hashable, Sendable {
    /// The folder.
    public let folder: FilePath
    /// Bytes of the current revisions.
    public var bytes: Int64
    /// Number of files, folders not counted.
    public var files: Int64

    /// Describes a folder.
    public init(folder: FilePath, bytes: Int64 = 0, files: Int64 = 0) {
        self.folder = folder
        self.bytes = bytes
        self.files = files
    }
}

extension ArraySlice<UInt8> {
    /// Whether these bytes, at least one, stand in it one behind the other.
    func hasRun(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first else { return true }
        var rest = self
        while let start = rest.firstIndex(of: first) {
            guard rest.endIndex - start >= bytes.count else { return false }
            if rest[start...].starts(with: bytes) { return true }
            rest = rest[(start + 1)...]
        }
        return false
    }
}
