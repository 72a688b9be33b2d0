import Testing

@testable import StorageHTTP

@Suite("Dictionaries of structured fields")
struct StructuredDictionaryTests {
    private typealias Value = StructuredDictionary.Value

    @Test(
        "are read with every kind of member",
        arguments: [
            (["a=1"], .integer(1)), (["a=-999999999999999"], .integer(-999_999_999_999_999)), (["a=0"], .integer(0)),
            (["a=007"], .integer(7)), (["a=1.5"], .other), (["a=123456789012.123"], .other),
            (["a=:aGk=:"], .bytes([0x68, 0x69])), (["a=:aGk:"], .bytes([0x68, 0x69])), (["a=::"], .bytes([])),
            ([#"a="x\"y\\z""#], .other), (["a=token"], .other), (["a=*t:/x"], .other), (["a=?0"], .other),
            (["a"], .bare), (["a;x;y=1"], .bare), (["a=1;x=2; y"], .integer(1)),
            (["a=:aGk=:;q=?1"], .bytes([0x68, 0x69])),
            (["a=(1 2 :aGk=:);q=1"], .other), (["a=()"], .other), (["a=(  1  )"], .other), (["a=@1659578233"], .other),
            ([#"a=%"f%c3%bc""#], .other), (["b=1,a=2"], .integer(2)), (["b=1 ,\t a=2"], .integer(2)),
            (["  a=2  "], .integer(2)), (["a=1, a=2"], .integer(2)), (["a=1", "a=3"], .integer(3)),
            (["b;a=9", "a=4"], .integer(4)),
        ] as [([String], StructuredDictionary.Value)])
    func reads(lines: [String], value: StructuredDictionary.Value) throws {
        let dictionary = try #require(StructuredDictionary(lines))
        #expect(dictionary["a"] == value)
    }

    @Test(
        "that are malformed anywhere are none",
        arguments: [
            "a=", "=1", "A=1", "1=1", "a=1,", "a=1,,b=2", ",a=1", "a=1 b=2", "a=1;", "a=1;=2", "a=1;B", "a =1", "a= 1",
            "a=:aGk=", "a=:a=k:", "a=:aGk=:x", "a=:a b:", "a=:aGl:", "a=:aG-_:", "a=:====:", #"a="x"#, #"a="x\n""#,
            "a=\"\u{7F}\"", "a=\"é\"",
            "a=1234567890123456", "a=1234567890123.1", "a=1.", "a=1.2345", "a=-", "a=--1", "a=+1", "a=?2", "a=?", "a=@",
            "a=@1.5", "a=(1", "a=(1,2)", "a=(1 2", "a=1)", #"a=%"f%C3%BC""#, #"a=%"%ff""#, #"a=%"x"#, "a=%x", "a=é",
            "\ta=1", "a=1\u{0}", "a=<1>",
        ])
    func refuses(text: String) {
        #expect(StructuredDictionary([text]) == nil)
    }

    @Test("are empty where nothing stands, and limited in size")
    func limits() throws {
        #expect(try #require(StructuredDictionary([])).isEmpty)
        #expect(try #require(StructuredDictionary(["", "  "].prefix(1).map { $0 })).isEmpty)
        let long = String(repeating: "k=1, ", count: 2_000) + "a=1"
        #expect(StructuredDictionary([long]) == nil)
    }
}
