/// On whose behalf something is done.
///
/// The same for every dialect: a principal sees its own container, whichever way it comes in.
public struct Principal: Hashable, Sendable {
    /// What is known of who it is.
    public enum Identity: Hashable, Sendable {
        /// An account that exists.
        case account(Account)
        /// A container token that nothing was written under yet: reads as empty, becomes an account with the first write.
        case newContainer(TokenDigest)
    }

    /// Who it is.
    public let identity: Identity
    /// The credential that it came with, where that can be revoked by itself.
    public let credential: CredentialID?

    /// Describes an authenticated party.
    public init(identity: Identity, credential: CredentialID? = nil) {
        self.identity = identity
        self.credential = credential
    }

    /// The account; nil for a container token that nothing was written under yet.
    public var account: Account? {
        if case .account(let account) = identity { account } else { nil }
    }
}
