/// The path of a file or folder inside a container: non-empty segments joined by `/`, without a slash at either end.
///
/// A path is bytes. It is kept byte for byte as the client named it, so the composed and decomposed form of a letter name two
/// files. Checked once, here: every value of this type is valid.
public struct FilePath: Hashable, Sendable {
    /// The longest path, in bytes.
    public static let maximumBytes = 1_024
    /// The longest segment, in bytes.
    public static let maximumSegmentBytes = 255

    private static let slash = UInt8(ascii: "/")

    /// The bytes of the path: valid UTF-8 without control characters.
    public let bytes: [UInt8]

    /// Checks a path; one leading slash is allowed and dropped.
    ///
    /// - Throws: ``StorageError/Code/invalidPath`` for an empty path, an empty, `.` or `..` segment, a control character, invalid
    ///   UTF-8, a segment over 255 bytes or a path over 1,024 bytes.
    public init(_ raw: some Collection<UInt8>) throws {
        var path = Array(raw)
        if path.first == Self.slash { path.removeFirst() }
        try self.init(checking: path)
    }

    private init(checking path: [UInt8]) throws {
        guard !path.isEmpty else { throw Self.invalid("A path must not be empty.") }
        guard path.count <= Self.maximumBytes else {
            throw Self.invalid("A path must not be longer than \(Self.maximumBytes) bytes.")
        }
        guard String(validating: path, as: UTF8.self) != nil else { throw Self.invalid("A path must be valid UTF-8.") }
        for segment in path.split(separator: Self.slash, omittingEmptySubsequences: false) {
            try Self.check(segment)
        }
        try Self.checkControls(path)
        bytes = path
    }

    /// Checks a path given as text.
    public init(_ text: String) throws {
        try self.init(Array(text.utf8))
    }

    /// Takes bytes that were checked when they were stored.
    package init(stored bytes: [UInt8]) {
        self.bytes = bytes
    }

    private static func check(_ segment: ArraySlice<UInt8>) throws {
        guard !segment.isEmpty else {
            throw invalid("A path must not have an empty segment, nor a slash at its end.")
        }
        guard segment.count <= maximumSegmentBytes else {
            throw invalid("A segment of a path must not be longer than \(maximumSegmentBytes) bytes.")
        }
        let dot = UInt8(ascii: ".")
        guard !(segment.count <= 2 && segment.allSatisfy { $0 == dot }) else {
            throw invalid("A path must not have a segment \".\" or \"..\".")
        }
    }

    /// C0 controls and DEL are single bytes; the C1 controls are C2 80 to C2 9F in UTF-8.
    private static func checkControls(_ path: [UInt8]) throws {
        var previous: UInt8 = 0
        for byte in path {
            let isControl = byte < 0x20 || byte == 0x7F || (previous == 0xC2 && (0x80...0x9F).contains(byte))
            guard !isControl else { throw invalid("A path must not have control characters.") }
            previous = byte
        }
    }

    private static func invalid(_ message: String) -> StorageError {
        StorageError(.invalidPath, message)
    }
}

extension FilePath {
    /// The last segment.
    public var name: ArraySlice<UInt8> {
        guard let slash = bytes.lastIndex(of: Self.slash) else { return bytes[...] }
        return bytes[(slash + 1)...]
    }

    /// The folder that the path lies in; nil at the root.
    public var parent: FilePath? {
        bytes.lastIndex(of: Self.slash).map { FilePath(stored: Array(bytes[..<$0])) }
    }

    /// All folders above, the outermost first.
    public var ancestors: [FilePath] {
        bytes.indices.filter { bytes[$0] == Self.slash }.map { FilePath(stored: Array(bytes[..<$0])) }
    }

    /// The number of folders above.
    public var depth: Int {
        bytes.reduce(into: 0) { count, byte in if byte == Self.slash { count += 1 } }
    }

    /// The bytes that every path below this folder starts with.
    public var prefix: [UInt8] { bytes + [Self.slash] }

    /// The path of an entry of this folder.
    ///
    /// - Throws: ``StorageError/Code/invalidPath`` when the result would not be a path.
    public func appending(_ relative: some Collection<UInt8>) throws -> FilePath {
        try FilePath(prefix + relative)
    }

    /// Whether the path is the folder itself or lies below it.
    public func isInside(_ folder: FilePath) -> Bool {
        self == folder || bytes.starts(with: folder.prefix)
    }

    /// The text of the path.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension FilePath: Comparable {
    /// Orders by the bytes.
    public static func < (one: Self, other: Self) -> Bool {
        one.bytes.lexicographicallyPrecedes(other.bytes)
    }
}

extension FilePath: CustomStringConvertible {
    /// The text with a leading slash, as listings show it.
    public var description: String { "/" + text }
}
