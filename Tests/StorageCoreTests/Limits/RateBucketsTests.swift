import Testing

@testable import StorageCore

@Suite("Buckets of a limit")
struct RateBucketsTests {
    private static let second: Int64 = 1_000_000_000
    private let key: RateBuckets.Key = [1]

    private func buckets(_ count: Int = 3, per period: Duration = .seconds(3), capacity: Int = 10) throws -> RateBuckets
    {
        RateBuckets(try #require(RateLimit(count: count, per: period)), capacity: capacity)
    }

    @Test("a limit has a count and a period", arguments: [0, -1, 1_000_001])
    func wrongCounts(count: Int) {
        #expect(RateLimit(count: count, per: .seconds(1)) == nil)
        #expect(RateLimit(count: 1, per: .milliseconds(999)) == nil)
        #expect(RateLimit(count: 1, per: .seconds(400 * 86_400)) == nil)
    }

    @Test("as many as the limit says at once, and then one for each interval")
    func refills() throws {
        var buckets = try buckets()
        for _ in 0..<3 {
            #expect(buckets.delay(of: key, at: 0) == nil)
            buckets.spend(key, isHeld: false, at: 0)
        }
        #expect(buckets.delay(of: key, at: 0) == Self.second)
        #expect(buckets.delay(of: key, at: Self.second - 1) == 1)
        #expect(buckets.delay(of: key, at: Self.second) == nil)
        buckets.spend(key, isHeld: false, at: Self.second)
        #expect(buckets.delay(of: key, at: Self.second) == Self.second)
        #expect(buckets.delay(of: key, at: 100 * Self.second) == nil)
        #expect(buckets.delay(of: [2], at: 0) == nil)
    }

    @Test("what is spent beyond what there is makes nobody wait longer than for one")
    func noDebt() throws {
        var buckets = try buckets()
        for _ in 0..<1_000 { buckets.spend(key, isHeld: false, at: 0) }
        #expect(buckets.delay(of: key, at: 0) == Self.second)
    }

    @Test("what is held keeps others from holding, but is not spent")
    func holding() throws {
        var buckets = try buckets()
        for _ in 0..<3 { #expect(buckets.hold(key, at: 0) == nil) }
        #expect(buckets.hold(key, at: 0) == Self.second)
        #expect(buckets.delay(of: key, at: 0) == nil)
        buckets.release(key, at: 0)
        #expect(buckets.hold(key, at: 0) == nil)
        for _ in 0..<3 { buckets.release(key, at: 0) }
        #expect(buckets.count == 0)
        #expect(buckets.hold(key, at: 0) == nil)
        buckets.spend(key, at: 0)
        buckets.release(key, at: 0)
        #expect(buckets.hold(key, at: 0) == nil)
        #expect(buckets.hold(key, at: 0) == nil)
        #expect(buckets.hold(key, at: 0) != nil)
    }

    @Test("no more are remembered than the capacity")
    func isBounded() throws {
        var buckets = try buckets(capacity: 100)
        for number in UInt8.min...UInt8.max { buckets.spend([number], isHeld: false, at: 0) }
        #expect(buckets.count == 100)
    }

    @Test("what others spent is charged once, whatever the order in which it is heard")
    func hearing() throws {
        var buckets = try buckets(10, per: .seconds(10))
        buckets.hear(9, of: key, at: 0)
        #expect(buckets.delay(of: key, at: 0) == nil, "nothing was spent here")
        buckets.spend(key, isHeld: false, at: 0)
        buckets.spend(key, isHeld: false, at: 0)
        // Two here and five elsewhere.
        for total in [7, 6, 7] as [Int64] { buckets.hear(total, of: key, at: 0) }
        for _ in 0..<3 { #expect(buckets.hold(key, at: 0) == nil) }
        #expect(buckets.hold(key, at: 0) == Self.second)
    }

    @Test("what others spent is charged also where there is none left, but no more than comes back in a period")
    func debt() throws {
        var buckets = try buckets()
        for _ in 0..<3 { buckets.spend(key, isHeld: false, at: 0) }
        buckets.hear(5, of: key, at: 0)
        #expect(buckets.delay(of: key, at: 0) == 3 * Self.second)
        buckets.spend(key, isHeld: false, at: 0)
        #expect(buckets.delay(of: key, at: 0) == 3 * Self.second, "what is spent here gives nothing back either")
        buckets.hear(100, of: key, at: 0)
        #expect(buckets.delay(of: key, at: 0) == 4 * Self.second)
    }

    @Test("what was spent here is remembered for the period, also once it has come back")
    func own() throws {
        var buckets = try buckets()
        buckets.spend(key, isHeld: false, at: 0)
        let later = 2 * Self.second
        #expect(buckets.hold(key, at: later) == nil)
        buckets.release(key, at: later)
        buckets.spend(key, isHeld: false, at: later)
        buckets.hear(2, of: key, at: later)
        for _ in 0..<2 { #expect(buckets.hold(key, at: later) == nil, "nobody else has spent any") }
    }

    @Test("periods are numbered by the clock")
    func periods() throws {
        let buckets = try buckets()
        #expect(buckets.period(at: Timestamp(microseconds: 2_999_999)) == 0)
        #expect(buckets.period(at: Timestamp(microseconds: 3_000_000)) == 1)
    }

    @Test("no number that is heard traps, gives anything back, or makes anybody wait longer than for a period and one")
    func lies() throws {
        var buckets = try buckets()
        buckets.spend(key, isHeld: false, at: 0)
        for total in [.min, -1, 0, .max, 193, 999_999_999] as [Int64] { buckets.hear(total, of: key, at: 0) }
        #expect(buckets.hold(key, at: 0) == nil)
        #expect(buckets.hold(key, at: 0) == nil)
        buckets.hear(192, of: key, at: 0)
        #expect(buckets.delay(of: key, at: 0) == 4 * Self.second)
        #expect(buckets.delay(of: key, at: 4 * Self.second) == nil)
    }

    @Test("a new period begins with what is spent in it")
    func newPeriod() throws {
        var buckets = try buckets()
        buckets.spend(key, isHeld: false, at: 0)
        buckets.hear(3, of: key, at: 0)
        #expect(buckets.delay(of: key, at: 0) != nil)
        let later = 10 * Self.second
        buckets.spend(key, isHeld: false, at: later, in: 1)
        buckets.hear(3, of: key, at: later, in: 0)
        #expect(buckets.delay(of: key, at: later) == nil, "a late answer for the period before")
        buckets.hear(2, of: key, at: later, in: 1)
        #expect(buckets.hold(key, at: later) == nil)
        #expect(buckets.hold(key, at: later) != nil)
    }
}
