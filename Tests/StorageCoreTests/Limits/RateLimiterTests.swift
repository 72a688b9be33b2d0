import NIOCore
import Synchronization
import Testing

@testable import StorageCore

private final class Tally: Sendable {
    let count = Atomic<Int>(0)
}

@Suite("Counting tries")
struct RateLimiterTests {
    private let clock = TestClock()
    private let here = ClientAddress("192.0.2.1")
    private let there = ClientAddress("192.0.2.2")
    private let ann = Array("ann".utf8)

    private func limiter(signIn: Int = 2, registration: Int = 2, requests: Int? = nil) -> RateLimiter {
        var limits = RateLimiter.Limits()
        limits.signIn = RateLimit(count: signIn, per: .seconds(60))
        limits.registration = RateLimit(count: registration, per: .seconds(3_600))
        limits.requests = requests.flatMap { RateLimit(count: $0, per: .seconds(1)) }
        return RateLimiter(limits, clock: clock)
    }

    /// What becomes of a password that is wrong, or right.
    private func outcome(
        _ limiter: RateLimiter, _ login: [UInt8], _ client: ClientAddress?, isRight: Bool = false
    ) async -> StorageError? {
        do {
            try limiter.admit(login, from: client)
            _ = try await limiter.trying(login, from: client) { isRight }
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test("wrong passwords for a login end at the limit, and only there")
    func login() async {
        let limiter = limiter()
        for _ in 0..<2 { #expect(await outcome(limiter, ann, here) == nil) }
        let refusal = await outcome(limiter, ann, here, isRight: true)
        #expect(refusal?.code == .tooManyRequests)
        #expect(refusal?.retryAfter == .seconds(30))
        #expect(await outcome(limiter, ann, there) == nil)
        #expect(await outcome(limiter, Array("bob".utf8), here) == nil)
        #expect(await outcome(limiter, ann, nil) == nil)
        clock.advance(by: .seconds(30))
        #expect(await outcome(limiter, ann, here, isRight: true) == nil)
    }

    @Test("wrong passwords for many logins end at three times the limit")
    func address() async {
        let limiter = limiter()
        for number in 0..<6 as Range<UInt8> { #expect(await outcome(limiter, [number], here) == nil) }
        #expect(await outcome(limiter, [99], here)?.code == .tooManyRequests)
        #expect(await outcome(limiter, [99], there) == nil)
    }

    @Test("right passwords are not counted, however many come at once")
    func right() async {
        let limiter = limiter(signIn: 1)
        for _ in 0..<100 { #expect(await outcome(limiter, ann, here, isRight: true) == nil) }
    }

    @Test("a check that fails is not counted")
    func failure() async {
        let limiter = limiter(signIn: 1)
        for _ in 0..<10 {
            let code = await codeThrown {
                _ = try await limiter.trying(ann, from: here) { throw StorageError(.unavailable, "") }
            }
            #expect(code == .unavailable)
        }
        #expect(await outcome(limiter, ann, here) == nil)
    }

    @Test("no more are checked at once than may be wrong")
    func atOnce() async {
        let limiter = limiter(signIn: 3)
        let gate = Gate()
        let checked = Tally()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let result = try? await limiter.trying(Array("ann".utf8), from: ClientAddress("192.0.2.1")) {
                        checked.count.add(1, ordering: .relaxed)
                        try await gate.pass()
                        return false
                    }
                    return result == nil
                }
            }
            var refused = 0
            for await isRefused in group where isRefused {
                refused += 1
                if refused == 17 { gate.open() }
            }
            #expect(refused == 17)
        }
        #expect(checked.count.load(ordering: .relaxed) == 3)
    }

    @Test("wrong tokens take nothing from passwords")
    func tokens() async throws {
        let limiter = limiter()
        for _ in 0..<6 { try await limiter.countWrongToken(from: here) }
        #expect(await codeThrown { try await limiter.countWrongToken(from: here) } == .tooManyRequests)
        #expect(await codeThrown { try limiter.admitToken(from: here) } == .tooManyRequests)
        try limiter.admitToken(from: there)
        try limiter.admitToken(from: nil)
        #expect(await outcome(limiter, ann, here) == nil)
    }

    @Test("registrations count with the logins that were taken, and nothing else")
    func registrations() async throws {
        let limiter = limiter()
        for _ in 0..<5 {
            let code = await codeThrown {
                try await limiter.registering(from: here) { throw StorageError(.unavailable, "") }
            }
            #expect(code == .unavailable)
        }
        #expect(try await limiter.registering(from: here) { 7 } == 7)
        let taken = await codeThrown {
            try await limiter.registering(from: here) { throw StorageError(.loginTaken, "") }
        }
        #expect(taken == .loginTaken)
        #expect(await codeThrown { try await limiter.registering(from: here) {} } == .tooManyRequests)
        try await limiter.registering(from: there) {}
        clock.advance(by: .seconds(1_800))
        try await limiter.registering(from: here) {}
    }

    @Test("requests are counted where there is a limit for them")
    func requests() async throws {
        #expect(!limiter().limitsRequests)
        try limiter().countRequest(from: here)
        let limiter = limiter(requests: 5)
        #expect(limiter.limitsRequests)
        for _ in 0..<5 { try limiter.countRequest(from: here) }
        #expect(await codeThrown { try limiter.countRequest(from: here) } == .tooManyRequests)
        try limiter.countRequest(from: there)
        for _ in 0..<100 { try limiter.countRequest(from: nil) }
    }

    @Test("several processes count together, and each for itself where the cache says nothing or lies")
    func together() async throws {
        var limits = RateLimiter.Limits()
        limits.signIn = RateLimit(count: 10, per: .seconds(600))
        func tries(_ cache: any SharedCache) async -> Int {
            let cache = TrustedCache(cache, key: [UInt8](repeating: 1, count: 32))
            let limiters = (0..<2).map { _ in shared(limits, cache) }
            var tries = 0
            for round in 0..<100 {
                if await outcome(limiters[round % 2], ann, here) == nil { tries += 1 }
            }
            return tries
        }
        // The last of one is told to the other with its own last.
        let together = await tries(InMemorySharedCache())
        #expect(10...11 ~= together)
        #expect(await tries(SilentCache()) == 20)
        #expect(await tries(LyingCache()) == 20)
    }

    @Test("who guesses all the time has little more of several processes than of one", arguments: [1, 2, 4])
    func togetherForLong(processes: Int) async {
        var limits = RateLimiter.Limits()
        limits.signIn = RateLimit(count: 10, per: .seconds(60))
        let cache = TrustedCache(InMemorySharedCache(), key: [UInt8](repeating: 1, count: 32))
        let limiters = (0..<processes).map { _ in shared(limits, cache) }
        var tries = 0
        // Half an hour, asking each process once a second: ten at once, and 300 afterwards.
        for _ in 0..<1_800 {
            for limiter in limiters where await outcome(limiter, ann, here) == nil { tries += 1 }
            clock.advance(by: .seconds(1))
        }
        #expect(300...(310 * (processes == 1 ? 100 : 125) / 100) ~= tries)
    }

    @Test("what one process counts is never charged to it again")
    func ownIsNotOthers() async {
        var limits = RateLimiter.Limits()
        limits.signIn = RateLimit(count: 10, per: .seconds(60))
        let cache = TrustedCache(InMemorySharedCache(), key: [UInt8](repeating: 1, count: 32))
        let limiter = shared(limits, cache)
        // As often as is allowed, with right ones in between, for many periods that begin at any time.
        for _ in 0..<500 {
            #expect(await outcome(limiter, ann, here) == nil)
            clock.advance(by: .milliseconds(6_100))
            #expect(await outcome(limiter, ann, here, isRight: true) == nil)
        }
    }

    /// One of several processes whose clocks are the test's.
    private func shared(_ limits: RateLimiter.Limits, _ cache: TrustedCache) -> RateLimiter {
        RateLimiter(limits, cache: cache, clock: clock) { [clock] in
            Timestamp(microseconds: 1_700_000_000_000_000 + clock.now.offset.wholeMicroseconds)
        }
    }

    @Test("a cache that lies keeps nobody out of whose address nothing was counted here", arguments: [100, 1 << 30])
    func lies(claim: Int64) async {
        var limits = RateLimiter.Limits()
        limits.signIn = RateLimit(count: 2, per: .seconds(60))
        let cache = TrustedCache(LyingCache(claim: claim), key: [UInt8](repeating: 1, count: 32))
        let limiter = RateLimiter(limits, cache: cache, clock: clock)
        for _ in 0..<10 { #expect(await outcome(limiter, ann, here, isRight: true) == nil) }
        #expect(await outcome(limiter, ann, here) == nil)
        #expect(await outcome(limiter, ann, there, isRight: true) == nil)
        // A number that may be true keeps out an address where one was wrong: for a period, and the time of one.
        let isBelieved = claim == 100
        for login in [ann, Array("bob".utf8)] {
            let refusal = await outcome(limiter, login, here, isRight: true)
            #expect(refusal?.code == (isBelieved ? .tooManyRequests : nil))
        }
        clock.advance(by: .seconds(90))
        #expect(await outcome(limiter, ann, here, isRight: true) == nil)
    }
}

/// A shared cache that is not there.
private struct SilentCache: SharedCache {
    func value(for key: SharedCacheKey) async -> ByteBuffer? { nil }
    func set(_ value: ByteBuffer, for key: SharedCacheKey, lifetime: Duration) {}
    func remove(_ key: SharedCacheKey) {}
    func increment(_ key: SharedCacheKey, lifetime: Duration) async -> Int64? { nil }
    func ping() async throws { throw StorageError(.unavailable, "") }
}
