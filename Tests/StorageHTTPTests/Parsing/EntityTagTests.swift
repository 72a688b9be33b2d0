import Testing

@testable import StorageHTTP

@Suite("Entity tags")
struct EntityTagTests {
    private static let strong = EntityTag("abc")
    private static let weak = EntityTag(isWeak: true, opaque: Array("abc".utf8))

    @Test(
        "are read from one header or several",
        arguments: [
            (["*"], .any), ([" * "], .any), ([#""abc""#], .tags([strong])), ([#"W/"abc""#], .tags([weak])),
            ([#""abc", "x""#], .tags([strong, EntityTag("x")])), ([#""abc","x""#], .tags([strong, EntityTag("x")])),
            ([#""abc""#, #"W/"abc""#], .tags([strong, weak])), ([#", "abc" , ,"#], .tags([strong])),
            ([#""""#], .tags([EntityTag("")])),
            ([#""a,b""#], .tags([EntityTag("a,b")])), ([#""a\b""#], .tags([EntityTag(#"a\b"#)])),
            ([#""ф""#], .tags([EntityTag("ф")])),
            (["", #""abc""#], .tags([strong])), (["\t\"abc\"\t"], .tags([strong])),
            ([#""*""#], .tags([EntityTag("*")])),
        ] as [([String], EntityTagCondition)])
    func reads(values: [String], condition: EntityTagCondition) throws {
        #expect(try EntityTagCondition.parse(values) == condition)
    }

    @Test(
        "that are malformed are an error, never overlooked",
        arguments: [
            [""], [" "], [","], ["abc"], [#""abc"#], [#"abc""#], [#"'abc'"#], [#"w/"abc""#], [#"W"abc""#],
            [#"W/ "abc""#], [#"W/abc"#],
            [#""abc" "x""#], [#""abc"x"#], [#""a b""#], ["\"a\u{7F}\""], ["\"a\u{0}\""], ["\"a\tb\""], ["**"], ["*, *"],
            [#"*, "abc""#],
            [#""abc", *"#], ["*", "*"], ["*", #""abc""#], [#""abc";q=1"#], [#""a"b""#], ["“abc”"],
        ])
    func refuses(values: [String]) {
        #expect(refusal { try EntityTagCondition.parse(values) }?.code == .invalidPrecondition)
    }

    @Test("are limited in size and absent where no header is")
    func limits() throws {
        #expect(try EntityTagCondition.parse([]) == nil)
        let tag = "\"" + String(repeating: "x", count: EntityTagCondition.maximumBytes - 2) + "\""
        #expect(throws: Never.self) { try EntityTagCondition.parse([tag]) }
        #expect(throws: ParseError.self) { try EntityTagCondition.parse([tag, "*"]) }
    }

    @Test("compare strongly for If-Match and weakly for If-None-Match")
    func comparison() {
        let other = EntityTag("x")
        #expect(EntityTagCondition.any.isMatched(by: Self.strong))
        #expect(EntityTagCondition.any.isMatched(by: nil) == false)
        #expect(EntityTagCondition.any.isMatchedWeakly(by: nil) == false)
        #expect(EntityTagCondition.tags([other, Self.strong]).isMatched(by: Self.strong))
        #expect(EntityTagCondition.tags([Self.weak]).isMatched(by: Self.strong) == false)
        #expect(EntityTagCondition.tags([Self.strong]).isMatched(by: Self.weak) == false)
        #expect(EntityTagCondition.tags([Self.weak]).isMatchedWeakly(by: Self.strong))
        #expect(EntityTagCondition.tags([other]).isMatchedWeakly(by: Self.strong) == false)
        #expect(EntityTagCondition.tags([Self.strong]).isMatched(by: nil) == false)
    }

    @Test(
        "in If-Range are a tag or a date, or match nothing",
        arguments: [
            (#""abc""#, true), (#" "abc" "#, true), (#"W/"abc""#, false), (#""x""#, false), ("abc", nil),
            (#""abc", "x""#, nil), ("*", nil),
            ("", nil), ("Sun, 06 Nov 1994 08:49:37 GMT", true), ("Sun, 06 Nov 1994 08:49:38 GMT", false),
            ("Sun, 06 Nov 1994 08:49:36 GMT", false), ("Sun Nov  6 08:49:37 1994", true), ("784111777", nil),
        ] as [(String, Bool?)])
    func ifRange(value: String, satisfied: Bool?) {
        let condition = IfRange.parse(value, now: 0)
        #expect(condition?.isSatisfied(tag: Self.strong, lastModified: 784_111_777) == satisfied)
    }

    @Test("never trap, and what is read comes back when it is written again")
    func mutations() throws {
        var mutations = Mutations(
            seed: 10, corpus: [#""abc", W/"x""#, "*", #"W/"", "a,b""#, #" , "q" ,,"#],
            words: ["\"", "W/", ",", "*", " ", "W/\""])
        var accepted = 0
        for _ in 0..<Mutations.count {
            let value = mutations.nextText()
            _ = IfRange.parse(value, now: 0)
            guard case .tags(let tags) = try? EntityTagCondition.parse([value]) else { continue }
            accepted += 1
            let written = tags.map { ($0.isWeak ? "W/\"" : "\"") + String(decoding: $0.opaque, as: UTF8.self) + "\"" }
            try #require(try EntityTagCondition.parse([written.joined(separator: ", ")]) == .tags(tags))
            try #require(try EntityTagCondition.parse(written) == .tags(tags))
        }
        #expect(accepted > Mutations.count / 10)
    }
}
