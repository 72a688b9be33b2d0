import NIOCore
import StorageCore
import Testing

@testable import StorageRedis

@Suite("Whether Redis is asked")
struct CacheHealthTests {
    private func broken() -> CacheHealth {
        var health = CacheHealth()
        for _ in 0..<2 { #expect(health.fail() == nil) }
        #expect(health.fail() == 2)
        #expect(!health.isAsked)
        return health
    }

    @Test("it is, until three questions in a row had no answer")
    func threeInARow() {
        var health = CacheHealth()
        for _ in 0..<10 {
            _ = health.fail()
            _ = health.fail()
            health.succeed()
        }
        #expect(health.isAsked)
        _ = broken()
    }

    @Test("then it is tried after longer and longer pauses, and asked again once it has answered")
    func pauses() {
        var health = broken()
        #expect(health.fail() == nil, "what was under way says nothing more")
        health.succeed()
        #expect(!health.isAsked)
        let attempts = (0..<10).compactMap { _ in health.tried(isAlive: false) }
        #expect(attempts == Array(3...12))
        var latest = Latest()
        let pauses = attempts.map { CacheHealth.trials.delay(before: $0, retryAfter: nil, using: &latest) }
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(pauses.first.map { (.milliseconds(199)...(.milliseconds(200))).contains($0) } == true)
        #expect(pauses.last.map { (.seconds(29)...(.seconds(30))).contains($0) } == true)
        #expect(health.tried(isAlive: true) == nil)
        #expect(health.isAsked)
    }

    @Test("what it refuses is nothing against it, and said once a minute")
    func refusals() {
        var health = CacheHealth()
        let start = NIODeadline.now()
        let isSaid = (0...60 as ClosedRange<Int64>).map { health.refuse(at: start + .seconds($0)) }
        #expect(isSaid == [true] + Array(repeating: false, count: 59) + [true])
        #expect(health.isAsked)
    }

    @Test("one that fails again soon waits for longer, one that was well for long does not")
    func memory() {
        var health = broken()
        _ = health.tried(isAlive: true)
        for _ in 0..<2 { _ = health.fail() }
        #expect(health.fail() == 3)
        _ = health.tried(isAlive: true)
        for _ in 0..<200 { health.succeed() }
        for _ in 0..<2 { _ = health.fail() }
        #expect(health.fail() == 2)
    }

    /// Draws the longest pause every time.
    private struct Latest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }
}
