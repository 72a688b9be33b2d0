import StorageTesting
import Testing

@testable import StorageCore

@Suite("A set of characters")
struct ScalarSetTests {
    private static func ranges(_ count: Int, below bound: UInt32, _ random: inout SeededGenerator) -> [ClosedRange<
        UInt32
    >] {
        (0..<count).map { _ in
            let first = UInt32.random(in: 0..<bound, using: &random)
            return first...min(first + UInt32.random(in: 0..<20, using: &random), bound)
        }
    }

    @Test("has the characters of its ranges, or all others", arguments: [1, 2, 3] as [UInt64])
    func contains(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for count in [0, 1, 2, 10, 100] {
            let ranges = Self.ranges(count, below: 1_000, &random)
            let (set, others) = (ScalarSet(ranges), ScalarSet(ranges, isNegated: true))
            for scalar in (0...1_100) as ClosedRange<UInt32> {
                let isExpected = ranges.contains { $0.contains(scalar) }
                #expect(set.contains(scalar) == isExpected)
                #expect(others.contains(scalar) != isExpected)
            }
        }
    }

    @Test("has all characters, or none, at the ends of what there is")
    func ends() {
        for scalar in [0, 127, 128, 0x10FFFF, .max - 1, .max] as [UInt32] {
            #expect(ScalarSet.all.contains(scalar))
            #expect(!ScalarSet([0...UInt32.max], isNegated: true).contains(scalar))
            #expect(ScalarSet([], isNegated: true).contains(scalar))
            #expect(!ScalarSet([]).contains(scalar))
            #expect(ScalarSet([scalar...scalar]).contains(scalar))
            #expect(!ScalarSet([scalar...scalar], isNegated: true).contains(scalar))
        }
        #expect(ScalarSet([0...UInt32.max, 5...UInt32.max, .max...UInt32.max]) == .all)
    }

    @Test("is looked through in few steps, however it was written")
    func few() {
        // ASCII takes none of the ranges.
        #expect(ScalarSet((0..<128).map { $0...$0 }).ranges.isEmpty)
        #expect(ScalarSet(Array(repeating: 0x430...0x44F, count: 100)).ranges == [0x430...0x44F])
        #expect(ScalarSet((0x430...0x44F).reversed().map { $0...$0 }).ranges == [0x430...0x44F])
        #expect(
            ScalarSet([0x500...0x600, 0x400...0x4FF, 0x450...0x700, 0x900...0x901]).ranges == [
                0x400...0x700, 0x900...0x901,
            ])
        #expect(ScalarSet([0x61...0x7A], isNegated: true).ranges == [128...UInt32.max])
    }

    @Test("of as many characters as fit a pattern finds each of them, and nothing between")
    func large() throws {
        let characters = stride(from: 0x400, to: 0x400 + 2 * 126, by: 2).compactMap { Unicode.Scalar($0) }
        let text = "[" + String(String.UnicodeScalarView(characters)) + "]"
        #expect(text.utf8.count <= NamePattern.maximumBytes)
        let expression = try RegularExpression("^\(text)$")
        for scalar in (0x3FF...0x500).compactMap({ Unicode.Scalar($0 as UInt32) }) {
            let name = Array(String(scalar).utf8)[...]
            #expect(expression.matches([name]) == [characters.contains(scalar)])
        }
    }
}
