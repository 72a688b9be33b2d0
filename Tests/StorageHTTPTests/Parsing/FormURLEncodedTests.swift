import Testing

@testable import StorageHTTP

@Suite("Form-encoded pairs")
struct FormURLEncodedTests {
    @Test(
        "are decoded once, in order",
        arguments: [
            ("", []), ("a=b", ["a", "b"]), ("a=b&c=d", ["a", "b", "c", "d"]), ("a", ["a", ""]), ("a=", ["a", ""]),
            ("=a", ["", "a"]), ("&&a=b&", ["a", "b"]), ("a=b=c", ["a", "b=c"]), ("a+b=c+d", ["a b", "c d"]),
            ("a%2Bb=%2B", ["a+b", "+"]), ("a=%252e", ["a", "%2e"]), ("a=%00", ["a", "\u{0}"]),
            ("a=1&a=2", ["a", "1", "a", "2"]),
            ("p=/a/b%2Fc", ["p", "/a/b/c"]), ("a;b=c", ["a;b", "c"]), ("%D1%84=%d1%84", ["ф", "ф"]), ("=", ["", ""]),
        ] as [(String, [String])])
    func decodes(text: String, expected: [String]) throws {
        let form = try FormURLEncoded(parsing: Array(text.utf8), from: .query)
        #expect(form.pairs.flatMap { [$0.name, $0.value] } == expected.map { Array($0.utf8) })
    }

    @Test(
        "with a bad escape are refused with the code of their source", arguments: ["%", "a=%", "a=%4", "a=%zz", "%%=a"])
    func refusesBadEscapes(text: String) {
        #expect(refusal { try FormURLEncoded(parsing: Array(text.utf8), from: .query) }?.code == .invalidQuery)
        #expect(refusal { try FormURLEncoded(parsing: Array(text.utf8), from: .body) }?.code == .invalidForm)
    }

    @Test("give a parameter's value, and refuse one that was sent twice only when it is asked for")
    func lookup() throws {
        let form = try FormURLEncoded(parsing: Array("a=1&b=&c=2&c=2&d=%FF".utf8), from: .query)
        #expect(try form.value("a") == Array("1".utf8))
        #expect(try form.text("a") == "1")
        #expect(try form.value("b") == [])
        #expect(try form.value("x") == nil)
        #expect(form.contains("b"))
        #expect(form.contains("A") == false)
        #expect(try form.value("d") == [0xFF])
        #expect(throws: ParseError(.invalidQuery, "The query has the parameter 'c' more than once; send it once.")) {
            try form.value("c")
        }
        #expect(throws: ParseError.self) { try form.text("d") }
    }

    @Test("compare names as bytes, not as characters")
    func namesAreBytes() throws {
        let form = try FormURLEncoded(parsing: Array("e%CC%81=1".utf8), from: .query)
        #expect(form.contains("\u{E9}") == false)
        #expect(form.contains("e\u{301}"))
    }

    @Test("over the limits are refused")
    func limits() throws {
        let largest = Array("a=".utf8) + [UInt8](repeating: 0x62, count: FormURLEncoded.maximumBodyBytes - 2)
        #expect(try FormURLEncoded(parsing: largest, from: .body).pairs.count == 1)
        #expect(refusal { try FormURLEncoded(parsing: largest + [0x62], from: .body) }?.code == .tooLarge)
        let most = Array(repeatElement(Array("a&".utf8), count: FormURLEncoded.maximumPairs).joined())
        #expect(try FormURLEncoded(parsing: most, from: .query).pairs.count == FormURLEncoded.maximumPairs)
        #expect(throws: ParseError.self) { try FormURLEncoded(parsing: most + [0x61], from: .query) }
    }

    @Test("never trap, and what they accept comes back from its own encoding")
    func mutations() throws {
        var mutations = Mutations(
            seed: 2, corpus: ["a=b&c=d", "login=%D1%84&password=a+b%21", "=&=&a==", "x"],
            words: ["&", "=", "%", "%2", "%00", "+", "%2B", "&a=b"])
        var accepted = 0
        for _ in 0..<Mutations.count {
            guard let form = try? FormURLEncoded(parsing: mutations.next(), from: .body) else { continue }
            accepted += 1
            let encoded = form.pairs.map {
                PercentEncoding.encodeComponent($0.name) + "=" + PercentEncoding.encodeComponent($0.value)
            }
            let again = try FormURLEncoded(parsing: Array(encoded.joined(separator: "&").utf8), from: .body)
            try #require(again == form)
        }
        #expect(accepted > Mutations.count / 10)
    }
}

@Suite("Percent-encoding")
struct PercentEncodingTests {
    @Test(
        "of a path keeps unreserved bytes and slashes only",
        arguments: [
            ("/a/b.txt", "/a/b.txt"), ("a b", "a%20b"), ("a+b", "a%2Bb"), ("ф", "%D1%84"), ("%", "%25"),
            ("\r\n", "%0D%0A"),
            ("-._~", "-._~"), ("<>\"?#[]", "%3C%3E%22%3F%23%5B%5D"), ("", ""), ("a:b@c", "a%3Ab%40c"),
        ])
    func encodesPath(path: String, encoded: String) {
        #expect(PercentEncoding.encodePath(path.utf8) == encoded)
    }

    @Test("of every byte decodes to that byte")
    func roundTrip() {
        let all = (0...255).map { UInt8($0) }
        #expect(PercentEncoding.decode(PercentEncoding.encodePath(all).utf8) == all)
        #expect(PercentEncoding.decode(PercentEncoding.encodeComponent(all).utf8, plusIsSpace: true) == all)
        #expect(PercentEncoding.decode("%e2%82%AC".utf8) == Array("€".utf8))
    }

    @Test(
        "is refused where two hex digits are missing", arguments: ["%", "a%2", "%2x", "%x2", "%+2", "%-1", "%%", "%２0"])
    func refuses(text: String) {
        #expect(PercentEncoding.decode(text.utf8) == nil)
    }
}
