import StorageCore
import Testing

@testable import StorageS3

@Suite("UTC date")
struct UTCDateTests {
    @Test(
        "is written for signatures",
        arguments: [
            (1_369_353_600, "20130524T000000Z"), (0, "19700101T000000Z"), (-1, "19691231T235959Z"),
            (951_782_399, "20000228T235959Z"), (4_107_542_400, "21000301T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
        ] as [(Int64, String)])
    func writes(seconds: Int64, text: String) {
        let date = UTCDate(Timestamp(microseconds: seconds * 1_000_000 + 999_999))
        #expect(date.basic == text)
        #expect(date.day == String(text.prefix(8)))
        #expect(UTCDate(iso8601: text.utf8) == date)
        #expect(date.moment.seconds == seconds)
    }

    @Test(
        "is read as answers have it",
        arguments: [
            ("2010-11-10T20:48:33.000Z", 1_289_422_113), ("2010-11-10T20:48:33Z", 1_289_422_113),
            ("2010-11-10T20:48:33.123456789Z", 1_289_422_113), ("20101110T204833Z", 1_289_422_113),
            ("2016-12-31T23:59:60.000Z", 1_483_228_800),
        ] as [(String, Int64)])
    func readsAnswers(text: String, seconds: Int64) {
        #expect(UTCDate(iso8601: text.utf8)?.moment.seconds == seconds)
    }

    @Test(
        "that is none in an answer is nil",
        arguments: [
            "", "2010", "2010-11-10", "2010-11-10T20:48:33", "2010-11-10T20:48:33.Z", "2010-11-10T20:48:33+00:00",
            "2010-11-10 20:48:33Z", "2010-1110T20:48:33Z", "20101110T20:48:33Z", "2010-13-10T20:48:33Z",
            "2010-02-30T20:48:33Z", "+010-11-10T20:48:33Z", "2010-11-10T20:48:33.000Z ", "2010-11-10T24:48:33.000Z",
            String(repeating: "2", count: 10_000),
        ])
    func refusesAnswers(text: String) {
        #expect(UTCDate(iso8601: text.utf8) == nil)
    }

    @Test(
        "is read from the header Date",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Sun, 22 Nov 2026 03:07:04 GMT", 1_795_316_824),
        ] as [(String, Int64)])
    func readsHeaders(text: String, seconds: Int64) {
        #expect(UTCDate(httpDate: text.utf8)?.moment.seconds == seconds)
    }

    @Test(
        "that is none in a header is nil",
        arguments: [
            "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
        ])
    func refusesHeaders(text: String) {
        #expect(UTCDate(httpDate: text.utf8) == nil)
    }
}
