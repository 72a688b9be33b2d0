import Foundation
import NIOCore
import Testing

@testable import StorageHTTP

extension JSONWriter {
    /// Writes any value, so that what `JSONBody` read can be written again.
    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .array(let elements):
            array { writer in
                for element in elements { writer.value(element) }
            }
        case .object(let object):
            self.object { writer in
                for member in object.members {
                    writer.name(escaping: member.name)
                    writer.value(member.value)
                }
            }
        }
    }
}

@Suite("JSON writer")
struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(capacity: 1)
        body(&writer)
        return String(buffer: writer.take())
    }

    @Test("puts commas and colons where they belong")
    func structure() {
        let text = written { writer in
            writer.object { writer in
                writer.name("a")
                writer.integer(1)
                writer.name("b")
                writer.array { writer in
                    writer.null()
                    writer.bool(true)
                    writer.object { _ in }
                    writer.array { _ in }
                    writer.string("x")
                }
                writer.name("c")
                writer.object { writer in
                    writer.name("d")
                    writer.number(1.27)
                }
                writer.name("e")
                writer.time(microseconds: 1_599_845_525_999_999)
                writer.name("f")
                writer.bool(false)
            }
        }
        #expect(
            text == #"{"a":1,"b":[null,true,{},[],"x"],"c":{"d":1.27},"e":"2020-09-11T17:32:05Z","f":false}"#)
    }

    @Test("writes every whole number", arguments: [0, 1, -1, 9, 10, 99, 100, 8_512, .max, .min, .min + 1] as [Int64])
    func integers(value: Int64) {
        #expect(written { $0.integer(value) } == String(value))
    }

    @Test(
        "writes numbers that come back the same, and null for those JSON does not have",
        arguments: [
            (0, "0.0"), (1.27, "1.27"), (-1e-7, "-1e-07"), (1e300, "1e+300"), (.infinity, "null"), (.nan, "null"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) {
        #expect(written { $0.number(value) } == text)
    }

    @Test(
        "escapes what must be escaped and nothing else",
        arguments: [
            ("", #""""#), ("abc", #""abc""#), ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#),
            ("\n\r\t\u{8}\u{C}", #""\n\r\t\b\f""#),
            ("\u{0}\u{1F}", #""\u0000\u001F""#), ("\u{7F}", "\"\u{7F}\""), ("ф/😀", #""ф/😀""#), ("\r\n", #""\r\n""#),
            ("\"", #""\"""#), ("\"\"x", #""\"\"x""#), ("e\u{301}", "\"e\u{301}\""),
        ])
    func strings(text: String, json: String) {
        #expect(Array(written { $0.string(text) }.utf8) == Array(json.utf8))
        #expect(Array(written { $0.string(utf8: Array(text.utf8)) }.utf8) == Array(json.utf8))
    }

    @Test("repairs bytes that are not UTF-8")
    func repairs() {
        #expect(written { $0.string(utf8: [0x61, 0xFF, 0x62]) } == "\"a\u{FFFD}b\"")
    }

    @Test("is read back by Foundation for any text")
    func oracle() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                UInt8.random(in: 0...127, using: &generator)
            }
            let json = written { writer in writer.array { $0.string(utf8: bytes) } }
            let read = try JSONDecoder().decode([String].self, from: Data(json.utf8))
            try #require(read.map { Array($0.utf8) } == [bytes])
        }
    }

    @Test("goes on behind what was taken, so that a list can leave in pieces")
    func taking() {
        var writer = JSONWriter()
        var text = ""
        writer.beginArray()
        for number in 0..<1_000 {
            writer.integer(Int64(number))
            if writer.byteCount > 100 { text += String(buffer: writer.take()) }
        }
        writer.endArray()
        text += String(buffer: writer.take())
        #expect(text == "[" + (0..<1_000).map(String.init).joined(separator: ",") + "]")
        #expect(writer.byteCount == 0)
    }
}
