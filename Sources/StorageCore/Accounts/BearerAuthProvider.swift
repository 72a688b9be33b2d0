/// Checks opaque tokens (RFC 6750) against the digests that a metadata store keeps.
///
/// A token is remembered for a second at most; revoked elsewhere it ends within that time, and here as soon as
/// ``forget(_:)-(CredentialID)`` is told.
public struct BearerAuthProvider: AuthProvider {
    private let metadata: any MetadataStore
    private let idle: Int64?
    private let known: KnownPrincipals

    /// Makes a provider over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Knows the tokens.
    ///   - idle: How long a token lasts without being used; nil when that does not matter.
    ///   - cache: Where several processes tell each other whom a token belongs to, for a second; nil for a process alone.
    ///   - remembered: How many tokens are remembered for their second.
    public init(
        metadata: any MetadataStore, idle: Duration?, cache: TrustedCache? = nil, remembered: Int = 4_096
    ) {
        self.init(metadata: metadata, idle: idle, cache: cache, remembered: remembered) { .now }
    }

    init(
        metadata: any MetadataStore, idle: Duration?, cache: TrustedCache? = nil, remembered: Int = 4_096,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.metadata = metadata
        self.idle = idle?.wholeMicroseconds
        known = KnownPrincipals(capacity: remembered, cache: cache, now: now)
    }

    /// The account that the token was handed out to.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        guard case .bearer(let text) = credential else { return nil }
        guard let token = AccessToken(text: text) else { throw StorageError.unauthenticated }
        return try await AuthFailure.translating {
            let digest = try token.digest
            return try await known.principal(for: digest) { question in
                let record = try await metadata.account(.credential(digest))
                guard let record, let stored = record.credential, stored.kind == .session,
                    record.account.disabledAt == nil
                else {
                    throw StorageError.unauthenticated
                }
                let principal = Principal(identity: .account(record.account), credential: stored.id)
                known.remember(principal, for: digest, readAt: record.readAt, asked: question)
                await noteUse(of: stored, readAt: record.readAt)
                return principal
            }
        }
    }

    /// The account of a token that was asked for within the last second.
    public func recall(_ credential: Credential) -> Principal? {
        guard case .bearer(let text) = credential, let digest = try? AccessToken(text: text)?.digest else { return nil }
        return known.recall(digest)
    }

    /// Ends what this process remembers of a token, after it was revoked.
    public func forget(_ credential: CredentialID) { known.forget(credential) }

    /// Ends what this process remembers of all tokens of an account, after it was disabled or its password changed.
    public func forget(_ account: AccountID) { known.forget(account) }

    /// Moves the end of the idle time, at most every five minutes or tenth of that time, whichever is less.
    ///
    /// A request does not fail with it: the next one tries again.
    private func noteUse(of stored: StoredCredential, readAt: Timestamp) async {
        let interval = min(5 * 60 * 1_000_000, idle.map { $0 / 10 } ?? .max)
        let last = stored.lastUsedAt ?? stored.createdAt
        let (age, overflowed) = readAt.microseconds.subtractingReportingOverflow(last.microseconds)
        guard overflowed || age >= interval else { return }
        do {
            _ = try await metadata.change(.touchCredential(stored.id, idle: idle))
        } catch {
            return
        }
    }
}
