/// A public name for a revision: whoever knows it reads the file without credentials.
///
/// A link counts only while its revision is the current one of a living file, and goes with it.
public struct Link: Hashable, Sendable {
    /// The sorts of public names.
    public enum Kind: String, Hashable, Sendable {
        /// The key is the digest of the bytes.
        case hash
        /// The key is a random UUID.
        case uid
    }

    /// The sort of name.
    public let kind: Kind
    /// The name: 32 bytes of a digest, or 16 bytes of a UUID.
    public let key: [UInt8]

    /// The public name of everything published with these bytes.
    public static func hash(_ digest: BlobDigest) -> Self { Self(kind: .hash, key: digest.bytes) }

    /// A public name that is a capability.
    public static func uid(_ uid: Identifier<Link>) -> Self { Self(kind: .uid, key: uid.bytes) }

    private init(kind: Kind, key: [UInt8]) {
        self.kind = kind
        self.key = key
    }
}
