import StorageTesting
import Testing

@testable import StorageCore

@Suite("The first of many")
struct FirstOfTests {
    @Test("are those that sorting all would give", arguments: [1, 2, 3, 10, 99, 100, 101, 1_000])
    func sameAsSorting(limit: Int) {
        var random = SeededGenerator(seed: UInt64(limit))
        let numbers = (0..<100).map { _ in Int(random.next() % 50) }
        var first = FirstOf<Int>(limit) { $0 < $1 }
        for number in numbers { first.insert(number) }
        #expect(first.sorted == Array(numbers.sorted().prefix(limit)))
        #expect(first.isFull == (limit <= numbers.count))
    }

    @Test("are none of none")
    func none() {
        let first = FirstOf<Int>(3) { $0 < $1 }
        #expect(first.sorted.isEmpty)
        #expect(!first.isFull)
    }
}
