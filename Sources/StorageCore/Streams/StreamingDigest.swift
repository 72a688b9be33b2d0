import NIOCore

/// A running SHA-256 that a stream can carry with it; belongs to one task at a time.
final class StreamingDigest {
    private var hasher: SHA256Hasher?

    init() throws {
        hasher = try SHA256Hasher()
    }

    func update(_ chunk: ByteBuffer) throws {
        try hasher?.update(chunk)
    }

    /// Ends the message; a second call has nothing to end and throws.
    func finalize() throws -> BlobDigest {
        guard let hasher = hasher.take() else { throw StorageError(.internal, "The digest was read twice.") }
        return try hasher.finalize()
    }
}
