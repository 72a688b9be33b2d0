import Foundation
import Testing

@testable import StorageHTTP

@Suite("HTTP date")
struct HTTPDateTests {
    /// 2026-01-01
    private static let now: Int64 = 1_767_225_600

    @Test(
        "is read in all three forms",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1), ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sat Nov 26 08:49:37 1994", 785_839_777), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200), ("Friday, 01-Jan-76 00:00:00 GMT", 3_345_062_400),
            ("Friday, 01-Jan-77 00:00:00 GMT", 220_924_800), ("Tuesday, 29-Feb-00 00:00:00 GMT", 951_782_400),
        ] as [(String, Int64)])
    func reads(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(text, now: Self.now) == seconds)
    }

    @Test(
        "that is none is overlooked",
        arguments: [
            "", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
            "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT", "Sun,06 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 12:00:00 GMT",
            "Thu, 29 Feb 1900 12:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994", "Sun Nov 006 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT",
            "1994-11-06T08:49:37Z",
            "Sun, ０6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT; length=10",
            "Xxx, 06 Nov 1994 08:49:37 GMT",
        ])
    func refuses(text: String) {
        #expect(HTTPDate.parse(text, now: Self.now) == nil)
    }

    @Test("is written as IMF-fixdate")
    func format() {
        #expect(HTTPDate.format(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.format(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.format(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(HTTPDate.format(.min) == "Sat, 01 Jan 0000 00:00:00 GMT")
    }

    @Test("agrees with the C library on every third day of five centuries, at odd seconds")
    func oracle() throws {
        let first: Int64 = -8_520_336_000
        for step in 0..<60_000 {
            let seconds = first + Int64(step) * 259_201
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            var buffer = [CChar](repeating: 0, count: 64)
            let count = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            let expected = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try #require(HTTPDate.format(seconds) == expected)
            try #require(HTTPDate.parse(expected, now: 0) == seconds)
        }
    }

    @Test(
        "in RFC 3339 has whole seconds and Z",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_599_845_525_000_000, "2020-09-11T17:32:05Z"),
            (999_999, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"), (-1_000_000, "1969-12-31T23:59:59Z"), (.max, "9999-12-31T23:59:59Z"),
            (.min, "0000-01-01T00:00:00Z"), (1_709_251_199_999_999, "2024-02-29T23:59:59Z"),
        ] as [(Int64, String)])
    func rfc3339(microseconds: Int64, text: String) {
        #expect(RFC3339.format(microseconds: microseconds) == text)
    }

    @Test("never traps, and what it reads comes back from its own form")
    func mutations() throws {
        var mutations = Mutations(
            seed: 9,
            corpus: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
            words: ["0", "9", "99", "Feb", "Mon", ",", " ", ":", "-", "GMT"])
        var accepted = 0
        for _ in 0..<Mutations.count {
            guard let seconds = HTTPDate.parse(mutations.nextText(), now: Self.now) else { continue }
            accepted += 1
            try #require(HTTPDate.parse(HTTPDate.format(seconds), now: Self.now) == seconds)
        }
        #expect(accepted > Mutations.count / 100)
    }
}
