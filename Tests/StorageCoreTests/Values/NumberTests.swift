import StorageCore
import Testing

@Suite("Hexadecimal")
struct HexadecimalTests {
    @Test("All bytes are written in lower case and read in either")
    func roundTrip() {
        let bytes = (0...255).map { UInt8($0) }
        let text = Hexadecimal.encode(bytes)
        #expect(text.utf8.count == 512)
        #expect(text == text.lowercased())
        #expect(text.utf8.prefix(6).elementsEqual("000102".utf8))
        #expect(Hexadecimal.decode(Array(text.utf8)) == bytes)
        #expect(Hexadecimal.decode(Array(text.uppercased().utf8)) == bytes)
        #expect(Hexadecimal.encode([]) == "")
        #expect(Hexadecimal.decode([]) == [])
    }

    @Test("An odd count and every byte that is no ASCII digit are refused")
    func refuses() {
        for text in ["0", "abc", "0g", "g0", " 0", "0 ", "+1", "-1", "0x", "\u{FF11}0", "\u{661}0", "\0\0"] {
            #expect(Hexadecimal.decode(Array(text.utf8)) == nil)
        }
        let digits = Set("0123456789abcdefABCDEF".utf8)
        for byte in UInt8.min ... .max {
            #expect((Hexadecimal.value(byte) != nil) == digits.contains(byte))
        }
    }

    @Test("A digit and its value belong together", arguments: UInt8(0)...15)
    func digits(_ value: UInt8) {
        #expect(Hexadecimal.value(Hexadecimal.digit(value)) == value)
    }
}

@Suite("DecimalNumber")
struct DecimalNumberTests {
    static let numbers: [(String, Int64)] = [
        ("0", 0), ("7", 7), ("00", 0), ("007", 7), ("10", 10), ("1234567890", 1_234_567_890),
        ("9223372036854775806", .max - 1), ("9223372036854775807", .max), ("000000000000000000000000000000000001", 1),
    ]

    @Test("ASCII digits are a number up to 2^63 - 1", arguments: numbers)
    func parses(_ text: String, _ number: Int64) {
        #expect(DecimalNumber.parse(Array(text.utf8)) == number)
    }

    static let noNumbers: [String] = [
        "", "+5", "-0", "-1", " 1", "1 ", "1\n", "1_000", "1,000", "1.0", "0x10", "1e3", "a", "\u{661}", "\u{FF15}",
        "5\0", "\0",
        "9223372036854775808", "9223372036854775810", "18446744073709551615", "18446744073709551617",
        "99999999999999999999999999999999999999", "NaN",
    ]

    @Test("Signs, blanks, other digits and overflow are no number", arguments: noNumbers)
    func refuses(_ text: String) {
        #expect(DecimalNumber.parse(Array(text.utf8)) == nil)
    }
}

@Suite("Timestamp")
struct TimestampTests {
    static let moments: [(Int64, Int64)] = [
        (0, 0), (1, 0), (999_999, 0), (1_000_000, 1), (1_999_999, 1), (-1, -1), (-999_999, -1), (-1_000_000, -1),
        (-1_000_001, -2), (.max, 9_223_372_036_854), (.min, -9_223_372_036_855),
    ]

    @Test("Whole seconds are rounded down, before the epoch too", arguments: moments)
    func seconds(_ microseconds: Int64, _ seconds: Int64) {
        #expect(Timestamp(microseconds: microseconds).seconds == seconds)
    }
}
