import Synchronization

/// Counts what people try, and says when it is too often.
///
/// # Behavior
///
/// - Only what went wrong counts against who signs in: a right password, however often it is sent, takes nothing.
/// - A wrong password counts for its login at that address, and for the address; never for the login alone, so that nobody can lock
///   somebody else out.
/// - Once a limit is reached a password is refused before it is hashed, a right one too: else a guess would go on being answered.
/// - With a shared cache those who share it count together: whoever counts something here learns what was counted elsewhere. What the
///   cache says can only make a limit tighter, and only for those whom something was counted for here.
/// - The cost of a question does not grow with what is counted; at most 65,536 are remembered of each sort.
/// - Without an address nothing is counted.
public final class RateLimiter: Sendable {
    /// What may be done how often; nil for as often as one likes.
    public struct Limits: Sendable, Equatable {
        /// Wrong passwords for one login from one address; three times as many from one address for all logins, and as many wrong tokens.
        public var signIn: RateLimit?
        /// Registrations from one address.
        public var registration: RateLimit?
        /// Requests from one address.
        public var requests: RateLimit?

        /// No limits.
        public init() {}
    }

    enum Sort: UInt8, CaseIterable {
        case login = 1
        case address, token, registration, request
    }

    /// What was taken under several limits, to be given back or spent.
    struct Held {
        fileprivate let places: [Place]
    }

    private static let capacity = 65_536
    /// How many logins may be used wrongly at one address at a time.
    private static let loginsOfAddress = 3

    private let buckets: Mutex<[Sort: RateBuckets]>
    private let now: @Sendable () -> Int64
    /// The clock by which those who share a cache count their periods. Where two disagree, they count apart for as long as that.
    private let moment: @Sendable () -> Timestamp
    private let cache: TrustedCache?

    /// Begins with nothing counted.
    ///
    /// - Parameters:
    ///   - limits: What may be done how often.
    ///   - cache: Where several processes count together; nil for a process that counts for itself.
    public convenience init(_ limits: Limits, cache: TrustedCache? = nil) {
        self.init(limits, cache: cache, clock: ContinuousClock())
    }

    init(
        _ limits: Limits, cache: TrustedCache? = nil, clock: some Clock<Duration>,
        moment: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.cache = cache
        self.moment = moment
        let start = clock.now
        now = { start.duration(to: clock.now).nanoseconds }
        var buckets: [Sort: RateBuckets] = [:]
        for sort in Sort.allCases {
            let limit =
                switch sort {
                case .login: limits.signIn
                case .address, .token: limits.signIn?.times(Self.loginsOfAddress)
                case .registration: limits.registration
                case .request: limits.requests
                }
            buckets[sort] = limit.map { RateBuckets($0, capacity: Self.capacity) }
        }
        self.buckets = Mutex(buckets)
    }

    /// Whether requests are counted.
    package var limitsRequests: Bool { buckets.withLock { $0[.request] != nil } }

    /// Counts a request; each process counts its own.
    ///
    /// - Throws: ``StorageError/Code/tooManyRequests``.
    package func countRequest(from client: ClientAddress?) throws {
        guard let client, let held = try hold([(.request, client.key())]) else { return }
        spendHere(held, at: moment())
    }

    // MARK: Passwords

    /// Refuses a password for a login where too many wrong ones came from that address.
    ///
    /// - Throws: ``StorageError/Code/tooManyRequests``.
    func admit(_ login: [UInt8], from client: ClientAddress?) throws {
        guard let client else { return }
        try check(try Self.places(login, client))
    }

    /// Has a password checked, and counts it when it was wrong.
    ///
    /// What is being checked is counted as if it were wrong until that is known, so that as many at once are no way around the limit.
    ///
    /// - Throws: ``StorageError/Code/tooManyRequests`` instead of checking; what the check throws, which counts for nothing.
    func trying(
        _ login: [UInt8], from client: ClientAddress?, _ check: () async throws -> Bool
    ) async throws -> Bool {
        guard let client, let held = try hold(try Self.places(login, client)) else { return try await check() }
        let isRight: Bool
        do {
            isRight = try await check()
        } catch {
            release(held)
            throw error
        }
        if isRight { release(held) } else { await spend(held) }
        return isRight
    }

    // MARK: Tokens

    /// Refuses a token that could be guessed where too many wrong ones came from that address.
    ///
    /// - Throws: ``StorageError/Code/tooManyRequests``.
    func admitToken(from client: ClientAddress?) throws {
        guard let client else { return }
        try check([(.token, try client.key())])
    }

    /// Counts a wrong token.
    ///
    /// - Throws: ``StorageError/Code/tooManyRequests`` where there were too many before it.
    func countWrongToken(from client: ClientAddress?) async throws {
        guard let client, let held = try hold([(.token, client.key())]) else { return }
        await spend(held)
    }

    // MARK: Registrations

    /// Has somebody registered. Counts also a login that was taken, which tells that somebody has it; nothing else that is refused.
    ///
    /// - Throws: ``StorageError/Code/tooManyRequests`` instead of registering.
    func registering<Value>(from client: ClientAddress?, _ register: () async throws -> Value) async throws -> Value {
        guard let client, let held = try hold([(.registration, client.key())]) else { return try await register() }
        do {
            let value = try await register()
            await spend(held)
            return value
        } catch let error as StorageError where error.code == .loginTaken {
            await spend(held)
            throw error
        } catch {
            release(held)
            throw error
        }
    }

    // MARK: Buckets

    fileprivate typealias Place = (sort: Sort, key: RateBuckets.Key)

    /// That of the address first: of logins nothing is remembered where the address has none left.
    private static func places(_ login: [UInt8], _ client: ClientAddress) throws -> [Place] {
        [(.address, try client.key()), (.login, try client.key(login))]
    }

    private func check(_ places: [Place]) throws {
        let now = now()
        let delay = buckets.withLock { buckets -> Int64? in
            for place in places {
                if let delay = buckets[place.sort]?.delay(of: place.key, at: now) { return delay }
            }
            return nil
        }
        if let delay { throw Self.refusal(delay) }
    }

    /// Takes one at each place; nil where nothing is limited.
    private func hold(_ places: [Place]) throws -> Held? {
        let now = now()
        let (held, delay) = buckets.withLock { buckets -> ([Place], Int64?) in
            var held: [Place] = []
            for place in places where buckets[place.sort] != nil {
                if let delay = buckets[place.sort]?.hold(place.key, at: now) {
                    for place in held { buckets[place.sort]?.release(place.key, at: now) }
                    return ([], delay)
                }
                held.append(place)
            }
            return (held, nil)
        }
        if let delay { throw Self.refusal(delay) }
        return held.isEmpty ? nil : Held(places: held)
    }

    private func release(_ held: Held) {
        let now = now()
        buckets.withLock { buckets in
            for place in held.places { buckets[place.sort]?.release(place.key, at: now) }
        }
    }

    private func spend(_ held: Held) async {
        let moment = moment()
        spendHere(held, at: moment)
        guard let cache else { return }
        // At once, so that all of them cost the time of one question.
        await withTaskGroup(of: Void.self) { group in
            for place in held.places { group.addTask { await self.share(place, at: moment, in: cache) } }
        }
    }

    private func spendHere(_ held: Held, at moment: Timestamp) {
        let now = now()
        buckets.withLock { buckets in
            for place in held.places {
                guard let period = buckets[place.sort]?.period(at: moment) else { continue }
                buckets[place.sort]?.spend(place.key, at: now, in: period)
            }
        }
    }

    /// Tells those who count together of one that was spent, and learns what they have.
    private func share(_ place: Place, at moment: Timestamp, in cache: TrustedCache) async {
        let counted = buckets.withLock { buckets in
            buckets[place.sort].map { (period: $0.period(at: moment), lifetime: $0.limit.period) }
        }
        guard let (period, lifetime) = counted,
            // A number has no NUL, so that it cannot run into the key.
            let name = cache.name(.rate, [place.sort.rawValue] + Array("\(period)".utf8) + [0] + place.key),
            let total = await cache.cache.increment(name, lifetime: lifetime)
        else { return }
        let now = now()
        buckets.withLock { $0[place.sort]?.hear(total, of: place.key, at: now, in: period) }
    }

    private static func refusal(_ delay: Int64) -> StorageError {
        StorageError(
            .tooManyRequests, "Too many tries. Wait as long as Retry-After says, then try again.", isTransient: true,
            retryAfter: .nanoseconds(delay))
    }
}

extension ClientAddress {
    /// What stands for it, and for what it tries, where that is counted.
    fileprivate func key(_ subject: [UInt8] = []) throws -> RateBuckets.Key {
        // An address has no NUL, so that the two cannot run into each other.
        try SHA256.hash(Array(description.utf8) + [0] + subject)
    }
}
