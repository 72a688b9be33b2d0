/// What somebody presents to show who they are.
public enum Credential: Sendable {
    /// Login and password, as bytes (RFC 7617 with charset UTF-8).
    case basic(login: [UInt8], password: [UInt8])
    /// An opaque token (RFC 6750).
    case bearer([UInt8])
    /// A UUID that is the password of a container.
    case containerToken(ContainerToken)
}

/// A container's token: any UUID but the nil and the max UUID. It is a secret.
public struct ContainerToken: Hashable, Sendable {
    /// The value; never to be logged, listed or stored.
    public let uuid: Identifier<ContainerToken>

    /// Takes a UUID; nil for the nil and the max UUID, which everybody could guess.
    public init?(_ uuid: Identifier<ContainerToken>) {
        guard !uuid.isNil, !uuid.isMax else { return nil }
        self.uuid = uuid
    }
}

/// The SHA-256 of a token: all that is stored of one.
public struct TokenDigest: Hashable, Sendable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Takes the digest of a token.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// A token or other credential of an account that can be listed and revoked.
public struct StoredCredential: Hashable, Sendable {
    /// The sorts of stored credentials.
    public enum Kind: String, Hashable, Sendable {
        /// Handed out at sign-in.
        case session
        /// The UUID of a token account.
        case container
    }

    /// The lasting name, which is no secret.
    public let id: CredentialID
    /// The sort.
    public let kind: Kind
    /// What it is for, in words of whoever made it.
    public let label: String?
    /// When it was made.
    public let createdAt: Timestamp
    /// When it was last used, to within a few minutes.
    public let lastUsedAt: Timestamp?
    /// When it ends; nil for never.
    public let expiresAt: Timestamp?
    /// When it ends if it is not used before; nil where that does not matter.
    public let idleUntil: Timestamp?

    /// Describes a credential.
    public init(
        id: CredentialID, kind: Kind, label: String? = nil, createdAt: Timestamp, lastUsedAt: Timestamp?,
        expiresAt: Timestamp?, idleUntil: Timestamp? = nil
    ) {
        self.id = id
        self.kind = kind
        self.label = label
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.idleUntil = idleUntil
    }
}

/// The lasting name of a stored credential.
public typealias CredentialID = Identifier<StoredCredential>
