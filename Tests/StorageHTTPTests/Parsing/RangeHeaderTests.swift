import Testing

@testable import StorageHTTP

@Suite("Range header")
struct RangeHeaderTests {
    @Test(
        "gives ranges within the file, in the order they were asked for",
        arguments: [
            ("bytes=0-0", 10, [0..<1]), ("bytes=0-9", 10, [0..<10]), ("bytes=0-", 10, [0..<10]),
            ("bytes=9-", 10, [9..<10]),
            ("bytes=-1", 10, [9..<10]), ("bytes=-10", 10, [0..<10]), ("bytes=-11", 10, [0..<10]),
            ("bytes=5-100", 10, [5..<10]),
            ("Bytes=0-4", 10, [0..<5]), ("BYTES=0-4", 10, [0..<5]), ("bytes=0-4,5-9", 10, [0..<5, 5..<10]),
            ("bytes=5-9,0-4", 10, [5..<10, 0..<5]), ("bytes=0-0,-1", 10, [0..<1, 9..<10]),
            ("bytes= 0-1 , 3-4 ", 10, [0..<2, 3..<5]),
            ("bytes=0-1\t,\t3-4", 10, [0..<2, 3..<5]), ("bytes=,0-1,,3-4,", 10, [0..<2, 3..<5]),
            ("bytes=0-1,20-30", 10, [0..<2]),
            ("bytes=20-,0-1", 10, [0..<2]), ("bytes=-0,0-1", 10, [0..<2]), ("bytes=0001-0002", 10, [1..<3]),
            ("bytes=0-9223372036854775807", 10, [0..<10]), ("bytes=0-99999999999999999999999999", 10, [0..<10]),
            ("bytes=-99999999999999999999999999", 10, [0..<10]), ("bytes=0-0", 1, [0..<1]),
            ("bytes=9223372036854775806-", .max, [9_223_372_036_854_775_806 ..< .max]),
            ("bytes=0-9223372036854775807", .max, [0 ..< .max]),
        ] as [(String, Int64, [Range<Int64>])])
    func ranges(value: String, size: Int64, ranges: [Range<Int64>]) {
        #expect(RangeHeader.parse(value, size: size) == .ranges(ranges))
    }

    @Test(
        "is unsatisfiable when it is well formed and no byte of the file is in it",
        arguments: [
            ("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=-00", 10), ("bytes=10-,20-", 10),
            ("bytes=-0,-0", 10),
            ("bytes=0-", 0), ("bytes=0-0", 0), ("bytes=-0", 0), ("bytes=9223372036854775807-", 10),
            ("bytes=9223372036854775807-9223372036854775807", .max), ("bytes=99999999999999999999999999-", 10),
            ("bytes=99999999999999999999-99999999999999999999", 10),
        ] as [(String, Int64)])
    func unsatisfiable(value: String, size: Int64) {
        #expect(RangeHeader.parse(value, size: size) == .unsatisfiable)
    }

    @Test(
        "is overlooked when it is malformed, of another unit, overlapping or too much",
        arguments: [
            ("", 10), ("bytes", 10), ("bytes=", 10), ("bytes=,", 10), ("bytes= ", 10), ("bytes=-", 10),
            ("bytes=--1", 10), ("bytes=a", 10),
            ("bytes=1", 10), ("bytes=5-2", 10), ("bytes=+1-5", 10), ("bytes=1-+5", 10), ("bytes=-+5", 10),
            ("bytes=0x1-5", 10),
            ("bytes=1.0-5", 10), ("bytes=1e1-", 10), ("bytes=１-5", 10), ("bytes=0-1;2-3", 10), ("bytes=0 - 1", 10),
            ("bytes=0- 1", 10),
            ("bytes =0-1", 10), (" bytes=0-1", 10), ("items=0-1", 10), ("none", 10), ("=0-1", 10), ("0-1", 10),
            ("bytes:0-1", 10),
            ("bytes=0-1 2-3", 10), ("bytes=0-1-2", 10), ("bytes=0-1,x", 10), ("bytes=0-1,5-2", 10),
            ("bytes=0-4,4-9", 10),
            ("bytes=0-,0-", 10), ("bytes=0-0,0-0", 10), ("bytes=-5,6-7", 10), ("bytes=0-9,-1", 10), ("bytes=-5", 0),
            ("bytes=0-1", -1),
            ("bytes=9223372036854775808-1", 10), ("bytes=0-1\r\n", 10), ("bytes=0-1\u{0}", 10),
        ] as [(String, Int64)])
    func whole(value: String, size: Int64) {
        #expect(RangeHeader.parse(value, size: size) == .whole)
    }

    @Test("may have sixteen ranges and no more")
    func count() {
        func header(_ count: Int) -> String {
            "bytes=" + (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        }
        let sixteen = (0..<16).map { Int64($0) * 2 }.map { $0..<($0 + 1) }
        #expect(RangeHeader.parse(header(16), size: 10_000) == .ranges(sixteen))
        #expect(RangeHeader.parse(header(17), size: 10_000) == .whole)
        #expect(RangeHeader.parse(header(1_000), size: 10_000) == .whole)
        #expect(RangeHeader.parse("bytes=" + String(repeating: "9-,", count: 17) + "0-1", size: 5) == .whole)
        #expect(RangeHeader.parse("bytes=" + String(repeating: ",", count: 4_000) + "0-1", size: 5) == .ranges([0..<2]))
        #expect(RangeHeader.parse("bytes=0-" + String(repeating: "1", count: 1 << 20), size: 5) == .whole)
    }

    @Test("has its counterpart in Content-Range")
    func contentRange() {
        #expect(RangeHeader.contentRange(0..<5, size: 10) == "bytes 0-4/10")
        #expect(RangeHeader.contentRange(9..<10, size: 10) == "bytes 9-9/10")
        #expect(RangeHeader.contentRange(0 ..< .max, size: .max) == "bytes 0-9223372036854775806/9223372036854775807")
        #expect(RangeHeader.unsatisfiedContentRange(size: 0) == "bytes */0")
    }

    @Test("never traps, and never asks for more bytes than the file has")
    func mutations() throws {
        var mutations = Mutations(
            seed: 8,
            corpus: ["bytes=0-4,5-9", "bytes=-5", "bytes=5-", "bytes=0-0,2-3, 7-", "bytes=9223372036854775807-"],
            words: ["-", ",", "bytes=", "9223372036854775807", "18446744073709551616", "0", "1", " ", "+", "=", "-0"])
        var accepted = 0
        for _ in 0..<Mutations.count {
            let value = mutations.nextText()
            for size in [0, 1, 10, .max] as [Int64] {
                guard case .ranges(let ranges) = RangeHeader.parse(value, size: size) else { continue }
                accepted += 1
                try #require((1...RangeHeader.maximumRanges).contains(ranges.count))
                var total: Int64 = 0
                for range in ranges {
                    try #require(range.lowerBound >= 0 && range.upperBound <= size && range.isEmpty == false)
                    let (sum, overflow) = total.addingReportingOverflow(range.upperBound - range.lowerBound)
                    try #require(overflow == false)
                    total = sum
                }
                try #require(total <= size)
            }
        }
        #expect(accepted > Mutations.count / 10)
    }
}
