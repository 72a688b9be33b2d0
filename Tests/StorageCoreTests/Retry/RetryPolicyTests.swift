import Testing

@testable import StorageCore

@Suite("RetryPolicy")
struct RetryPolicyTests {
    /// The largest or the smallest number each time.
    private struct Extreme: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test(
        "doubles the longest pause up to the maximum",
        arguments: [(1, 50), (2, 50), (3, 100), (4, 200), (8, 3_200), (9, 5_000), (10, 5_000), (Int.max, 5_000)])
    func doubling(_ attempt: Int, _ milliseconds: Int) {
        var largest = Extreme(value: .max)
        let delay = RetryPolicy().delay(before: attempt, retryAfter: nil, using: &largest)
        #expect(delay <= .milliseconds(milliseconds))
        #expect(delay > .milliseconds(milliseconds) * 0.999)
    }

    @Test("takes any pause from none to the longest")
    func jitter() {
        var smallest = Extreme(value: 0)
        #expect(RetryPolicy().delay(before: 5, retryAfter: nil, using: &smallest) == .zero)
        var random = SystemRandomNumberGenerator()
        let delays = (0..<1_000).map { _ in RetryPolicy().delay(before: 3, retryAfter: nil, using: &random) }
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= .milliseconds(100) })
        #expect(delays.contains { $0 < .milliseconds(25) })
        #expect(delays.contains { $0 > .milliseconds(75) })
    }

    @Test("never comes back earlier than it was asked to")
    func retryAfter() {
        var smallest = Extreme(value: 0)
        #expect(RetryPolicy().delay(before: 2, retryAfter: .seconds(7), using: &smallest) == .seconds(7))
        #expect(RetryPolicy().delay(before: 2, retryAfter: .seconds(-7), using: &smallest) == .zero)
        var largest = Extreme(value: .max)
        let late = RetryPolicy().delay(before: 2, retryAfter: .seconds(7), using: &largest)
        #expect(late > .seconds(7))
        #expect(late <= .seconds(7) + .milliseconds(50))
    }
}

@Suite("RetryBudget")
struct RetryBudgetTests {
    @Test("has its reserve at the start, and one repetition for ten calls afterwards")
    func ratio() {
        let budget = RetryBudget()
        #expect((0..<10).allSatisfy { _ in budget.withdraw() })
        #expect(!budget.withdraw())
        var repetitions = 0
        for _ in 0..<1_000 {
            budget.deposit()
            if budget.withdraw() { repetitions += 1 }
        }
        #expect(repetitions == 100)
    }

    @Test("saves no more than its reserve")
    func saving() {
        let budget = RetryBudget()
        for _ in 0..<10_000 { budget.deposit() }
        #expect(budget.available == 10)
    }
}
