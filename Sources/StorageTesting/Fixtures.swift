public import StorageCore

extension BlobDigest {
    /// A digest of no known bytes, another one at every call.
    public static func random() -> BlobDigest {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        guard let digest = BlobDigest(bytes: bytes) else { preconditionFailure("A digest has 32 bytes.") }
        return digest
    }
}

extension TokenDigest {
    /// A digest of no known token, another one at every call.
    public static func random() -> TokenDigest {
        TokenDigest(bytes: BlobDigest.random().bytes)
    }
}
