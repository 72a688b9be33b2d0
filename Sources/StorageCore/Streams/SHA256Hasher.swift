internal import CLibcrypto
public import NIOCore

/// SHA-256 (FIPS 180-4) of bytes that come in parts: what a ``BlobStore`` needs to name what it takes in.
///
/// One message: feed it with ``update(_:)``, then ``finalize()`` once.
public struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer

    /// Begins a message.
    ///
    /// - Throws: ``StorageError/Code/internal`` when libcrypto cannot.
    public init() throws {
        let algorithm = try SHA256.algorithm()
        let context = EVP_MD_CTX_new()
        guard let context, EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw LibcryptoError.failure("EVP_DigestInit_ex2")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Feeds the next bytes of the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) throws {
        guard !bytes.isEmpty else { return }
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            throw LibcryptoError.failure("EVP_DigestUpdate")
        }
    }

    /// Feeds the readable bytes of the buffer.
    public mutating func update(_ buffer: ByteBuffer) throws {
        try buffer.withUnsafeReadableBytes { try update($0) }
    }

    /// Ends the message and returns its digest.
    public consuming func finalize() throws -> BlobDigest {
        let context = context
        let bytes = try SHA256.output { EVP_DigestFinal_ex(context, $0, nil) == 1 }
        guard let digest = BlobDigest(bytes: bytes) else { throw LibcryptoError.failure("EVP_DigestFinal_ex") }
        return digest
    }
}
