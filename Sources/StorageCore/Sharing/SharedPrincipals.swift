import Synchronization

/// Whom tokens belong to, as one of several processes learned it within the last second.
///
/// # Behavior
///
/// - An answer is a second old at most, counted by the database's clock from before it was read; what it is taken over into is no younger.
/// - Only what has the right code counts; it holds no token, only what a principal is.
/// - For a moment after something ended here nothing is believed of what others may have learned before.
final class SharedPrincipals: Sendable {
    /// A principal, and how long ago somebody learned of it.
    struct Answer: Equatable {
        let principal: Principal
        let age: Duration
    }

    private static let lifetime = Duration.seconds(1)

    private let cache: TrustedCache
    private let now: @Sendable () -> ContinuousClock.Instant
    private let distrustedUntil = Mutex<ContinuousClock.Instant?>(nil)

    init(_ cache: TrustedCache, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.cache = cache
        self.now = now
    }

    /// The principal of a token, where somebody learned it within the last second.
    func principal(for digest: TokenDigest) async -> Answer? {
        guard !isDistrusted, cache.clock.time(at: now()) != nil, let name = cache.name(.principal, digest.bytes),
            let bytes = await cache.sealed(name)
        else { return nil }
        guard let entry = PrincipalRecord(bytes: bytes) else {
            cache.refuse()
            return nil
        }
        // Asked once more: time has passed, and somebody may have ended something meanwhile.
        guard !isDistrusted, let time = cache.clock.time(at: now()) else { return nil }
        let (age, overflowed) = time.microseconds.subtractingReportingOverflow(entry.readAt.microseconds)
        guard !overflowed, age >= 0, age < Self.lifetime.wholeMicroseconds else { return nil }
        return Answer(principal: entry.principal, age: .microseconds(age))
    }

    /// Tells others whom a token belongs to.
    ///
    /// - Parameters:
    ///   - principal: Whose it is.
    ///   - digest: The token's.
    ///   - readAt: The database's clock when that was read.
    ///   - asked: When that was asked for.
    func share(_ principal: Principal, for digest: TokenDigest, readAt: Timestamp, asked: ContinuousClock.Instant) {
        cache.clock.note(readAt, asked: asked)
        guard let name = cache.name(.principal, digest.bytes),
            let entry = PrincipalRecord(principal: principal, readAt: readAt)
        else { return }
        cache.seal(entry.bytes, as: name, lifetime: Self.lifetime)
    }

    /// To be called when a credential or an account has ended here.
    func distrust() {
        let end = now() + Self.lifetime
        distrustedUntil.withLock { $0 = end }
    }

    private var isDistrusted: Bool {
        guard let end = distrustedUntil.withLock({ $0 }) else { return false }
        return now() < end
    }
}
