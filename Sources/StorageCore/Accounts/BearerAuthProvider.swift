/// Checks opaque tokens (RFC 6750) against the digests that a metadata store keeps.
///
/// A token is remembered for a second at most; revoked elsewhere it ends within that time, and here as soon as
/// ``forget(_:)-(CredentialID)`` is told.
public struct BearerAuthProvider: AuthProvider {
    private let metadata: any MetadataStore
    private let idle: Int64?
    private let recent: RecentPrincipals

    /// Makes a provider over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Knows the tokens.
    ///   - idle: How long a token lasts without being used; nil when that does not matter.
    ///   - remembered: How many tokens are remembered for their second.
    public init(metadata: any MetadataStore, idle: Duration?, remembered: Int = 4_096) {
        self.init(metadata: metadata, idle: idle, remembered: remembered) { .now }
    }

    init(
        metadata: any MetadataStore, idle: Duration?, remembered: Int = 4_096,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.metadata = metadata
        self.idle = idle?.wholeMicroseconds
        recent = RecentPrincipals(capacity: remembered, now: now)
    }

    /// The account that the token was handed out to.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        guard case .bearer(let text) = credential else { return nil }
        guard let token = AccessToken(text: text) else { throw StorageError.unauthenticated }
        return try await AuthFailure.translating {
            let digest = try token.digest
            if let principal = recent.principal(for: digest) { return principal }
            let question = recent.ask()
            let record = try await metadata.account(.credential(digest))
            guard let record, let stored = record.credential, stored.kind == .session, record.account.disabledAt == nil
            else {
                throw StorageError.unauthenticated
            }
            let principal = Principal(identity: .account(record.account), credential: stored.id)
            recent.remember(principal, for: digest, asked: question)
            await noteUse(of: stored, readAt: record.readAt)
            return principal
        }
    }

    /// The account of a token that was asked for within the last second.
    public func recall(_ credential: Credential) -> Principal? {
        guard case .bearer(let text) = credential, let digest = try? AccessToken(text: text)?.digest else { return nil }
        return recent.principal(for: digest)
    }

    /// Ends what this process remembers of a token, after it was revoked.
    public func forget(_ credential: CredentialID) {
        recent.forget { $0.credential == credential }
    }

    /// Ends what this process remembers of all tokens of an account, after it was disabled or its password changed.
    public func forget(_ account: AccountID) {
        recent.forget { $0.account?.id == account }
    }

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
