/// Checks container tokens: UUIDs that clients choose themselves and that are the password of a container.
public struct ContainerTokenAuthProvider: AuthProvider {
    /// Which container tokens are accepted.
    public enum Mode: String, Sendable, CaseIterable {
        /// Any: the first write under a new one makes its container.
        case open
        /// Those that have a container already.
        case known
        /// None.
        case off
    }

    private let metadata: any MetadataStore
    private let mode: Mode
    private let known: KnownPrincipals

    /// Makes a provider over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Knows the tokens.
    ///   - mode: Which are accepted.
    ///   - cache: Where several processes tell each other whom a token belongs to, for a second; nil for a process alone.
    ///   - remembered: How many tokens are remembered for a second.
    public init(
        metadata: any MetadataStore, mode: Mode = .open, cache: TrustedCache? = nil, remembered: Int = 4_096
    ) {
        self.init(metadata: metadata, mode: mode, cache: cache, remembered: remembered) { .now }
    }

    init(
        metadata: any MetadataStore, mode: Mode, cache: TrustedCache? = nil, remembered: Int = 4_096,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.metadata = metadata
        self.mode = mode
        known = KnownPrincipals(capacity: remembered, cache: cache, now: now)
    }

    /// The account of the token; of one that nothing was written under yet, its digest. Makes nothing.
    ///
    /// A token that was revoked, or whose account was deleted, is dead for good: it never begins a new container.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        guard case .containerToken(let token) = credential else { return nil }
        guard mode != .off else { throw StorageError.unauthenticated }
        return try await AuthFailure.translating {
            let digest = try token.digest
            return try await known.principal(for: digest) { question in
                guard let record = try await metadata.account(.credential(digest)) else {
                    // Not remembered: the next request may find the container that a write made.
                    guard mode == .open, try await !metadata.hasEnded(digest) else {
                        throw StorageError.unauthenticated
                    }
                    return Principal(identity: .newContainer(digest))
                }
                guard record.credential?.kind == .container, record.account.disabledAt == nil else {
                    throw StorageError.unauthenticated
                }
                let principal = Principal(identity: .account(record.account), credential: record.credential?.id)
                known.remember(principal, for: digest, readAt: record.readAt, asked: question)
                return principal
            }
        }
    }

    /// The account of a token that was asked for within the last second.
    public func recall(_ credential: Credential) -> Principal? {
        guard mode != .off, case .containerToken(let token) = credential, let digest = try? token.digest else {
            return nil
        }
        return known.recall(digest)
    }

    /// Ends what this process remembers of a token, after it was revoked.
    public func forget(_ credential: CredentialID) { known.forget(credential) }

    /// Ends what this process remembers of an account, after it was disabled.
    public func forget(_ account: AccountID) { known.forget(account) }
}
