import NIOCore
import StorageCore

/// What a request carries, with the digest that is signed for it.
enum S3Body: Sendable {
    case none
    /// Bytes that are in memory.
    case bytes(ByteBuffer, BlobDigest)
    /// Bytes from the spool, which can be read again.
    case stream(ByteStream, length: Int64, BlobDigest)

    /// Bytes whose digest is not known yet.
    static func digesting(_ bytes: ByteBuffer) throws -> S3Body {
        .bytes(bytes, try SHA256.digest(of: bytes))
    }

    /// The number of bytes.
    var length: Int64 {
        switch self {
        case .none: 0
        case .bytes(let bytes, _): Int64(bytes.readableBytes)
        case .stream(_, let length, _): length
        }
    }

    /// What the signature says of it.
    var payload: S3Payload {
        switch self {
        case .none: .empty
        case .bytes(_, let digest), .stream(_, _, let digest): .digest(digest)
        }
    }

    /// The entity tag of an object that holds these bytes and was written by one request, where the service encrypts nothing with keys
    /// of its own: their MD5 (Amazon S3 API, `PutObject`). nil for bytes that are not in memory, and where libcrypto has no MD5.
    var entityTag: String? {
        guard case .bytes(let bytes, _) = self, var hasher = try? MD5Hasher() else { return nil }
        guard (try? hasher.update(bytes)) != nil, let digest = try? hasher.finalize() else { return nil }
        return "\"\(Hexadecimal.encode(digest))\""
    }
}
