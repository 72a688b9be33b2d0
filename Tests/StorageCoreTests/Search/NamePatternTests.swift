import Testing

@testable import StorageCore

@Suite("A pattern of names")
struct NamePatternTests {
    private func matches(_ pattern: String, _ name: String) throws -> Bool {
        try NamePattern(Array(pattern.utf8)).matches([Array(name.utf8)[...]]) == [true]
    }

    @Test(
        "without operators is a text",
        arguments: ["report", "a-b c", "2024_01", "}", "]", "\u{E9}", "<'\"%&,;:=@#!~/>", ""])
    func text(pattern: String) throws {
        let read = try NamePattern(Array(pattern.utf8))
        #expect(read.expression == nil)
        #expect(try matches(pattern, "x" + pattern + "y"))
    }

    @Test(
        "with an operator is an expression",
        arguments: ["a.", "^a", "a$", "(a)", "a|b", "[a]", "a*", "a+", "a?", "a{1}", "\\."])
    func expression(pattern: String) throws {
        #expect(try NamePattern(Array(pattern.utf8)).expression != nil)
    }

    @Test(
        "with an operator and of no form is a text",
        arguments: ["(1", "[a", "*.txt", "a{", "\\d", "1)", "notes (1", "a[1", "a{256}", "(a)\\1", "\\"])
    func noExpression(pattern: String) throws {
        let read = try NamePattern(Array(pattern.utf8))
        #expect(read.expression == nil)
        #expect(try matches(pattern, "x" + pattern + "y"))
        #expect(try !matches(pattern, "a.txt 1"))
    }

    @Test("that is an expression and repeats too much is refused")
    func tooLarge() {
        let error = #expect(throws: StorageError.self) { try NamePattern(Array("((a{99}){99}){99}".utf8)) }
        #expect(error?.code == .unprocessable)
        #expect(error?.message.hasPrefix("query: ") == true)
    }

    @Test(
        "with operators finds names that have it as a text, too",
        arguments: [
            ("a+b", "a+b.txt"), ("a+b", "aab.txt"), ("v1.0", "v1.0"), ("v1.0", "v1x0"), ("a|b", "b"),
            ("what?", "what?"),
        ])
    func both(pattern: String, name: String) throws {
        #expect(try matches(pattern, name))
    }

    @Test("is bytes as a text: composition and case differ")
    func bytes() throws {
        #expect(try !matches("\u{E9}", "e\u{301}"))
        #expect(try !matches("A", "a"))
        #expect(try matches("\u{301}", "e\u{301}"))
    }

    @Test("has at most 256 bytes of UTF-8")
    func limits() throws {
        _ = try NamePattern(Array(repeating: UInt8(ascii: "a"), count: 256))
        for wrong in [Array(repeating: UInt8(ascii: "a"), count: 257), [0xFF], [0xC3]] {
            let error = #expect(throws: StorageError.self) { try NamePattern(wrong) }
            #expect(error?.code == .unprocessable)
            #expect(error?.message.hasPrefix("query: ") == true)
        }
    }
}
