import NIOCore
import Testing

@testable import StorageHTTP

@Suite("JSON body")
struct JSONBodyTests {
    @Test(
        "is read to its values",
        arguments: [
            (#"{"a":1}"#, .integer(1)), (#"{"a":-0}"#, .integer(0)), (#"{"a":-12}"#, .integer(-12)),
            (#"{"a":9223372036854775807}"#, .integer(.max)), (#"{"a":-9223372036854775808}"#, .integer(.min)),
            (#"{"a":9223372036854775808}"#, .number(9_223_372_036_854_775_808)), (#"{"a":1.5}"#, .number(1.5)),
            (#"{"a":1e2}"#, .number(100)), (#"{"a":1E-2}"#, .number(0.01)), (#"{"a":1e+2}"#, .number(100)),
            (#"{"a":true}"#, .bool(true)), (#"{"a":false}"#, .bool(false)), (#"{"a":null}"#, .null),
            (#"{"a":""}"#, .string("")), (#"{"a":"ф"}"#, .string("ф")), (#"{"a":"\u0444"}"#, .string("ф")),
            (#"{"a":"\uD83D\uDE00"}"#, .string("😀")), (#"{"a":"\"\\\/\b\f\n\r\t"}"#, .string("\"\\/\u{8}\u{C}\n\r\t")),
            (#"{"a":"\u0000"}"#, .string("\u{0}")), (#"{"a":[]}"#, .array([])),
            (#"{"a":[1,"b",[null]]}"#, .array([.integer(1), .string("b"), .array([.null])])),
            (#"{"a":{}}"#, .object(JSONObject(members: []))), ("\u{FEFF}{\"a\":1}", .integer(1)),
            (" \r\n\t{ \"a\" : 1 } \n", .integer(1)), (#"{"b":2,"a":1}"#, .integer(1)),
        ] as [(String, JSONValue)])
    func reads(text: String, value: JSONValue) throws {
        #expect(try JSONBody.parse(Array(text.utf8))["a"] == value)
    }

    @Test(
        "that is malformed is refused",
        arguments: [
            "", " ", "{", "}", "[]", "1", "null", "\"a\"", "{}{}", "{} x", "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{a:1}",
            "{'a':1}",
            "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":01}",
            "{\"a\":-}",
            "{\"a\":+1}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":0x1}", "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":1e999}", "{\"a\":tru}", "{\"a\":True}", "{\"a\":nul", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":\"\\u",
            "{\"a\":\"\\u12",
            "{\"a\":\"\\u12G4\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\uD800\"}", "{\"a\":\"\\uDC00\"}",
            "{\"a\":\"\\uD800\\uD800\"}",
            "{\"a\":\"\\uD800\\n\"}", "{\"a\":\"\n\"}", "{\"a\":\"\u{0}\"}", "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"a\":1}\u{0}", "{\"a\":１}", "{/**/}", "\u{FEFF}", "\u{FEFF}\u{FEFF}{}",
        ])
    func refuses(text: String) {
        #expect(refusal { try JSONBody.parse(Array(text.utf8)) }?.code == .invalidJSON)
    }

    @Test(
        "with invalid UTF-8 is refused",
        arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]]
            as [[UInt8]])
    func refusesInvalidUTF8(bytes: [UInt8]) {
        #expect(throws: ParseError.self) { try JSONBody.parse(Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)) }
    }

    @Test("keeps twins of one look apart")
    func twins() throws {
        let object = try JSONBody.parse(Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8))
        #expect(object["\u{E9}"] == .integer(1))
        #expect(object["e\u{301}"] == .integer(2))
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test("may nest to the limit and no deeper")
    func depth() throws {
        func nested(_ levels: Int) -> [UInt8] {
            let arrays = levels - 1
            return Array(
                ("{\"a\":" + String(repeating: "[", count: arrays) + String(repeating: "]", count: arrays) + "}").utf8)
        }
        #expect(throws: Never.self) { try JSONBody.parse(nested(JSONBody.maximumDepth)) }
        #expect(throws: ParseError.self) { try JSONBody.parse(nested(JSONBody.maximumDepth + 1)) }
        #expect(throws: ParseError.self) { try JSONBody.parse(nested(8_000)) }
        let bombs = Array(repeatElement(Array("{\"a\":".utf8), count: 3_000).joined())
        #expect(throws: ParseError.self) { try JSONBody.parse(bombs) }
    }

    @Test("over the limit is too large")
    func size() throws {
        let frame = Array("{\"a\":\"\"}".utf8).count
        let text = "{\"a\":\"" + String(repeating: "x", count: JSONBody.maximumBytes - frame)
        #expect(throws: Never.self) { try JSONBody.parse(Array((text + "\"}").utf8)) }
        #expect(refusal { try JSONBody.parse(Array((text + "x\"}").utf8)) }?.code == .tooLarge)
    }

    @Test("gives members by their type, and null like a missing one")
    func typedMembers() throws {
        let object = try JSONBody.parse(Array(#"{"s":"x","b":true,"i":7,"n":null,"o":{"k":1},"d":1.5}"#.utf8))
        #expect(try object.string("s") == "x")
        #expect(try object.bool("b") == true)
        #expect(try object.integer("i") == 7)
        #expect(try object.object("o")?["k"] == .integer(1))
        #expect(try object.string("n") == nil)
        #expect(try object.string("missing") == nil)
        #expect(throws: ParseError(.invalidField, "'i' must be a string.")) { try object.string("i") }
        #expect(throws: ParseError(.invalidField, "'s' must be true or false.")) { try object.bool("s") }
        #expect(throws: ParseError(.invalidField, "'d' must be a whole number.")) { try object.integer("d") }
        #expect(throws: ParseError(.invalidField, "'s' must be an object.")) { try object.object("s") }
    }

    @Test("never traps, and what it accepts is read the same after it was written again")
    func mutations() throws {
        var mutations = Mutations(
            seed: 3,
            corpus: [
                #"{"login":"ф","password":"a\"b\\c\u0041\uD83D\uDE00","n":[1,-2.5e3,true,null,{"x":[]}]}"#,
                #"{"path":"/a/b.txt","overwrite":false}"#, "{}", #"{"a":[[[[{"b":{"c":1e-300}}]]]]}"#,
            ],
            words: [
                "{", "}", "[", "]", "\"", "\\", "\\u", "\\uD800", ",", ":", "1e9", "-", "0", ".", "null", "\"a\":1,",
            ])
        var accepted = 0
        for _ in 0..<Mutations.count {
            guard let object = try? JSONBody.parse(mutations.next()) else { continue }
            accepted += 1
            var writer = JSONWriter()
            writer.value(.object(object))
            try #require(try JSONBody.parse(Array(writer.take().readableBytesView)) == object)
        }
        #expect(accepted > Mutations.count / 50)
    }
}
