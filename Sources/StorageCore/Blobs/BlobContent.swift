public import NIOCore

/// What a store knows of a blob without reading it.
public struct BlobInfo: Hashable, Sendable {
    /// The number of bytes.
    public let size: Int64

    /// The facts of a blob of that many bytes.
    public init(size: Int64) {
        self.size = size
    }
}

/// A part of a blob: bytes from its lower bound up to, not including, its upper one.
public typealias ByteRange = Range<Int64>

/// Bytes that were taken in by a store and can be published under a key.
public struct StagedBlob: Sendable {
    /// The digest of the whole body.
    public let digest: BlobDigest
    /// The number of bytes of the whole body.
    public let size: Int64
    /// What the store that made it needs to find the bytes again; of no use to anyone else.
    public let handle: any StagedHandle

    /// Describes what a store took in.
    public init(digest: BlobDigest, size: Int64, handle: any StagedHandle) {
        self.digest = digest
        self.size = size
        self.handle = handle
    }
}

/// A store's own hold on staged bytes; releasing the last reference gives them back.
public protocol StagedHandle: AnyObject, Sendable {}

/// An opened blob or part of one.
public struct BlobContent: Sendable {
    /// How the bytes are to be had.
    public enum Body: Sendable {
        /// The bytes themselves, for small ones.
        case bytes(ByteBuffer)
        /// An open file, whose part may leave by `sendfile`, and the same part as a stream for every other way out.
        case file(OpenFile, stream: ByteStream)
        /// A stream of exactly the part's bytes.
        case stream(ByteStream)
    }

    /// The size of the whole blob.
    public let size: Int64
    /// The part of the blob that the body holds.
    public let range: ByteRange
    /// The bytes of the part.
    public let body: Body
    /// Whether the bytes were compared with their digest since they came into memory, so that nobody needs to do it again.
    public let isVerified: Bool

    /// Describes an opened part of a blob.
    public init(size: Int64, range: ByteRange, body: Body, isVerified: Bool = false) {
        self.size = size
        self.range = range
        self.body = body
        self.isVerified = isVerified
    }
}

extension BlobContent {
    /// Reads the part to its end, a chunk at a time: the digest and the number of its bytes.
    ///
    /// - Parameter onRead: Called with the number of bytes of every chunk.
    func digest(
        onRead: @Sendable (_ bytes: Int) -> Void = { _ in }
    ) async throws -> (digest: BlobDigest, count: Int64) {
        var hasher = try SHA256Hasher()
        var count: Int64 = 0
        switch body {
        case .bytes(let bytes):
            try hasher.update(bytes)
            count = Int64(bytes.readableBytes)
            onRead(bytes.readableBytes)
        case .file(_, let stream), .stream(let stream):
            for try await chunk in stream {
                try hasher.update(chunk)
                count += Int64(chunk.readableBytes)
                onRead(chunk.readableBytes)
            }
        }
        return (try hasher.finalize(), count)
    }

    /// The bytes of the part as a stream, however the store hands them over.
    public var stream: ByteStream {
        switch body {
        case .bytes(let bytes): ByteStream(bytes)
        case .file(_, let stream), .stream(let stream): stream
        }
    }
}

extension Int64 {
    /// Up to this many bytes a blob is handed over and kept in memory whole.
    package static let smallBlob: Int64 = 64 << 10
}
