/// Accounts with passwords, and the three kinds of credentials that lead to them, made to fit each other: what ends in one of the parts
/// ends in all.
///
/// Checks Basic and Bearer credentials and container tokens. An application with identities of its own puts its provider first:
/// `AuthProviderChain([own, builtIn])`.
public struct BuiltInAuthentication: AuthProvider {
    /// Registers, signs in and out.
    public let accounts: AccountRegistry

    private let providers: AuthProviderChain
    private let hasher: PasswordHasher
    /// Counts wrong credentials and registrations.
    public let limiter: RateLimiter?
    /// Whether a container token is right or wrong before anything was written under it.
    private let hasWrongContainers: Bool

    /// Wires accounts and providers over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Knows the accounts.
    ///   - policy: Who may register, and how long a sign-in lasts.
    ///   - passwords: Which passwords may be chosen.
    ///   - containers: Which container tokens are accepted.
    ///   - hasher: Hashes and checks passwords.
    ///   - limiter: Counts wrong credentials and registrations; nil for as many as one likes.
    ///   - cache: Where several processes tell each other whom a token belongs to, for a second; nil for a process alone.
    /// - Throws: ``StorageError/Code/internal`` when no random key can be had.
    public init(
        metadata: any MetadataStore, policy: AccountRegistry.Policy = AccountRegistry.Policy(),
        passwords: PasswordPolicy = PasswordPolicy(), containers: ContainerTokenAuthProvider.Mode = .open,
        hasher: PasswordHasher = PasswordHasher(), limiter: RateLimiter? = nil,
        cache: TrustedCache? = nil
    ) throws {
        hasWrongContainers = containers == .known
        self.limiter = limiter
        let bearer = BearerAuthProvider(metadata: metadata, idle: policy.tokenIdle, cache: cache)
        let containers = ContainerTokenAuthProvider(metadata: metadata, mode: containers, cache: cache)
        providers = AuthProviderChain([
            try BasicAuthProvider(metadata: metadata, hasher: hasher, limiter: limiter), bearer, containers,
        ])
        accounts = AccountRegistry(
            metadata: metadata, hasher: hasher, passwords: passwords, bearer: bearer, containers: containers,
            limiter: limiter, policy: policy)
        self.hasher = hasher
    }

    /// The principal behind a credential of any of the three kinds.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        try await authenticate(credential, from: nil)
    }

    /// The principal behind a credential of any of the three kinds; wrong ones are counted for where they come from.
    ///
    /// A Bearer token cannot be guessed, so a right one is never refused: too many wrong ones only get another answer. A container token
    /// is what somebody made up: where only known ones count, it is not looked up once too many wrong ones came.
    public func authenticate(_ credential: Credential, from client: ClientAddress?) async throws -> Principal? {
        switch credential {
        case .basic: return try await providers.authenticate(credential, from: client)
        case .bearer: break
        case .containerToken:
            if hasWrongContainers, recall(credential) == nil { try limiter?.admitToken(from: client) }
        }
        do {
            return try await providers.authenticate(credential, from: client)
        } catch let error as StorageError where error.code == .unauthenticated {
            try await limiter?.countWrongToken(from: client)
            throw error
        }
    }

    /// The principal behind a token of either kind that was asked for within the last second.
    public func recall(_ credential: Credential) -> Principal? {
        providers.recall(credential)
    }

    /// Ends the threads that hash passwords; what is asked of them afterwards is refused.
    public func shutdown() async {
        await hasher.shutdown()
    }
}
