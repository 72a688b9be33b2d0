public import StorageCore

/// A provider that is to be tested, with what only its author knows how to make.
public struct AuthProviderCandidate: Sendable {
    /// The provider, over ``metadata``.
    public var provider: any AuthProvider
    /// The accounts, whose store a clause may make unreachable.
    public var metadata: UnreliableMetadataStore
    /// The account whose credentials are presented.
    public var account: Account
    /// A credential of the account that is valid.
    public var valid: Credential
    /// Credentials of the provider's kind that are refused: wrong, unknown, malformed, empty, far too long.
    public var refused: [Credential]
    /// Credentials of kinds that are not the provider's.
    public var foreign: [Credential]
    /// Ends the valid credential: by another password, or by revoking it.
    public var end: @Sendable () async throws -> Void

    /// Describes a provider.
    public init(
        provider: any AuthProvider, metadata: UnreliableMetadataStore, account: Account, valid: Credential,
        refused: [Credential], foreign: [Credential], end: @escaping @Sendable () async throws -> Void
    ) {
        self.provider = provider
        self.metadata = metadata
        self.account = account
        self.valid = valid
        self.refused = refused
        self.foreign = foreign
        self.end = end
    }
}
