/// Whom tokens belong to, as it was learned within the last second: by this process, or by another one that shares a cache with it.
struct KnownPrincipals: Sendable {
    private let recent: RecentPrincipals
    private let shared: SharedPrincipals?

    /// Nothing is known at first.
    ///
    /// - Parameters:
    ///   - capacity: How many tokens this process remembers.
    ///   - cache: Where the others are told, and asked; nil for a process alone.
    ///   - now: The clock.
    init(capacity: Int, cache: TrustedCache?, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        recent = RecentPrincipals(capacity: capacity, now: now)
        shared = cache.map { SharedPrincipals($0, now: now) }
    }

    /// The principal of a token that this process knows. Never waits.
    func recall(_ digest: TokenDigest) -> Principal? { recent.principal(for: digest) }

    /// The principal of a token: remembered here, or told by another process, or else read.
    ///
    /// - Parameters:
    ///   - digest: The token's.
    ///   - reading: Reads it; what may be remembered, it hands to ``remember(_:for:readAt:asked:)`` with the question.
    func principal(
        for digest: TokenDigest, reading: (RecentPrincipals.Question) async throws -> Principal
    ) async throws -> Principal {
        if let principal = recent.principal(for: digest) { return principal }
        let question = recent.ask()
        if let known = await shared?.principal(for: digest) {
            recent.remember(known.principal, for: digest, asked: question, age: known.age)
            return known.principal
        }
        return try await reading(question)
    }

    /// Remembers the answer to a question, and tells the others.
    ///
    /// - Parameters:
    ///   - principal: The answer.
    ///   - digest: The token's.
    ///   - readAt: The database's clock when it was read.
    ///   - question: What was asked.
    func remember(
        _ principal: Principal, for digest: TokenDigest, readAt: Timestamp, asked question: RecentPrincipals.Question
    ) {
        recent.remember(principal, for: digest, asked: question)
        shared?.share(principal, for: digest, readAt: readAt, asked: question.moment)
    }

    /// Ends what is known of a credential, after it was revoked.
    func forget(_ credential: CredentialID) {
        recent.forget { $0.credential == credential }
        shared?.distrust()
    }

    /// Ends what is known of all tokens of an account, after it was disabled or its password changed.
    func forget(_ account: AccountID) {
        recent.forget { $0.account?.id == account }
        shared?.distrust()
    }
}
