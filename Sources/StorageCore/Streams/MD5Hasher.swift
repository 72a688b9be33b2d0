internal import CLibcrypto
package import NIOCore

/// MD5 (RFC 1321) of bytes that come in parts: for `Content-MD5` alone, as a check against accidents and never as a name.
///
/// One message: feed it with `update`, then ``finalize()`` once.
package struct MD5Hasher: ~Copyable {
    /// The number of bytes of a digest.
    package static let byteCount = 16

    private let context: OpaquePointer

    /// Begins a message.
    ///
    /// - Throws: ``StorageError/Code/internal`` when libcrypto cannot, as where only approved algorithms are allowed.
    package init() throws {
        guard let algorithm = Self.algorithm else { throw LibcryptoError.failure("EVP_MD_fetch") }
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

    /// Feeds the readable bytes of the buffer.
    package mutating func update(_ buffer: ByteBuffer) throws {
        try buffer.withUnsafeReadableBytes { bytes in
            guard !bytes.isEmpty else { return }
            guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
                throw LibcryptoError.failure("EVP_DigestUpdate")
            }
        }
    }

    /// Ends the message and returns the bytes of its digest.
    package consuming func finalize() throws -> [UInt8] {
        let context = context
        return try [UInt8](unsafeUninitializedCapacity: Self.byteCount) { bytes, initialized in
            guard EVP_DigestFinal_ex(context, bytes.baseAddress, nil) == 1 else {
                throw LibcryptoError.failure("EVP_DigestFinal_ex")
            }
            initialized = Self.byteCount
        }
    }

    // Never freed, and libcrypto's algorithms may be used by any number of threads at once.
    nonisolated(unsafe) private static let algorithm = EVP_MD_fetch(nil, "MD5", nil)
}
