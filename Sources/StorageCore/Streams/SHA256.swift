internal import CLibcrypto
package import NIOCore

/// SHA-256 (FIPS 180-4) of bytes that are in memory, and what is built on it.
package enum SHA256 {
    /// The number of bytes of a digest.
    package static let byteCount = 32

    /// The digest of a buffer's readable bytes.
    package static func digest(of buffer: ByteBuffer) throws -> BlobDigest {
        var hasher = try SHA256Hasher()
        try hasher.update(buffer)
        return try hasher.finalize()
    }

    /// The digest of the bytes, as bytes.
    package static func hash(_ bytes: [UInt8]) throws -> [UInt8] {
        let algorithm = try algorithm()
        return try output { EVP_Digest(bytes, bytes.count, $0, nil, algorithm, nil) == 1 }
    }

    /// HMAC-SHA-256 (RFC 2104) of the message.
    package static func authenticate(_ message: [UInt8], key: [UInt8]) throws -> [UInt8] {
        guard let keyCount = CInt(exactly: key.count) else { throw LibcryptoError.failure("HMAC") }
        let algorithm = try algorithm()
        return try output { HMAC(algorithm, key, keyCount, message, message.count, $0, nil) != nil }
    }

    /// Whether two byte strings are equal, in a time that depends on their lengths only.
    package static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }

    /// Bytes that nobody can guess, from libcrypto's generator.
    package static func randomBytes(_ count: Int) throws -> [UInt8] {
        guard let length = CInt(exactly: count) else { throw LibcryptoError.failure("RAND_bytes") }
        return try [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            guard RAND_bytes(bytes.baseAddress, length) == 1 else { throw LibcryptoError.failure("RAND_bytes") }
            initialized = count
        }
    }

    static func output(_ write: (UnsafeMutablePointer<UInt8>?) -> Bool) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, initialized in
            guard write(bytes.baseAddress) else { throw LibcryptoError.failure("SHA256") }
            initialized = byteCount
        }
    }

    /// Fetched once: a fetch for every message would cost more than the message.
    static func algorithm() throws -> OpaquePointer {
        guard let fetched else { throw LibcryptoError.failure("EVP_MD_fetch") }
        return fetched
    }

    // Never freed, and libcrypto's algorithms may be used by any number of threads at once.
    nonisolated(unsafe) private static let fetched = EVP_MD_fetch(nil, "SHA256", nil)
}

/// A call of libcrypto that failed.
struct LibcryptoError: Error, CustomStringConvertible {
    let call: String
    let code: UInt

    var description: String { "\(call) failed, libcrypto error \(code)" }

    /// The failure of a call as the one kind of error that the storage knows.
    static func failure(_ call: String) -> StorageError {
        let error = LibcryptoError(call: call, code: ERR_get_error())
        return StorageError(.internal, "The server could not compute a digest or a key.", cause: error)
    }
}
