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

    /// Wires accounts and providers over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Knows the accounts.
    ///   - policy: Who may register, and how long a sign-in lasts.
    ///   - passwords: Which passwords may be chosen.
    ///   - containers: Which container tokens are accepted.
    ///   - hasher: Hashes and checks passwords.
    /// - Throws: ``StorageError/Code/internal`` when no random key can be had.
    public init(
        metadata: any MetadataStore, policy: AccountRegistry.Policy = AccountRegistry.Policy(),
        passwords: PasswordPolicy = PasswordPolicy(), containers: ContainerTokenAuthProvider.Mode = .open,
        hasher: PasswordHasher = PasswordHasher()
    ) throws {
        let bearer = BearerAuthProvider(metadata: metadata, idle: policy.tokenIdle)
        let containers = ContainerTokenAuthProvider(metadata: metadata, mode: containers)
        providers = AuthProviderChain([
            try BasicAuthProvider(metadata: metadata, hasher: hasher), bearer, containers,
        ])
        accounts = AccountRegistry(
            metadata: metadata, hasher: hasher, passwords: passwords, bearer: bearer, containers: containers,
            policy: policy)
        self.hasher = hasher
    }

    /// The principal behind a credential of any of the three kinds.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        try await providers.authenticate(credential)
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
