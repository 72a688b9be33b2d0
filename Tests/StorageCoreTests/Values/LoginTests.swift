import StorageCore
import Testing

@Suite("Login")
struct LoginTests {
    static let valid: [String] = [
        "a", "ann", "Ann", "ann@example.org", "a b", " ", "привет", "e\u{301}", "\u{E9}", "\u{1F600}", "a/b", "../a",
        "Public",
        "public ", "\"quoted\"", "%00", String(repeating: "x", count: 255),
    ]

    @Test("A login of 1 to 255 bytes is kept byte for byte", arguments: valid)
    func keepsBytes(_ text: String) throws {
        let login = try Login(Array(text.utf8))
        #expect(login.bytes == Array(text.utf8))
        #expect(Login(presented: Array(text.utf8)) == login)
        #expect(login.description.utf8.elementsEqual(text.utf8))
    }

    static let invalid: [[UInt8]] = [
        [], Array(":".utf8), Array("a:b".utf8), Array("a\0b".utf8), Array("a\nb".utf8), Array("a\r\nb".utf8),
        Array("\t".utf8),
        [0x7F], [0x1F], [0xFF], [0xC0, 0xAF], [0x61, 0xC3], [0xED, 0xA0, 0x80], [UInt8](repeating: 0x61, count: 256),
        Array("a:\u{301}b".utf8),
    ]

    @Test("A login with a colon, a control, bad UTF-8, or a wrong length belongs to nobody", arguments: invalid)
    func refuses(_ bytes: [UInt8]) {
        let error = #expect(throws: StorageError.self) { try Login(bytes) }
        #expect(error?.code == .unprocessable)
        #expect(Login(presented: bytes) == nil)
    }

    @Test("The built-in login cannot be registered, but it can be presented and then has no password")
    func reserved() {
        let error = #expect(throws: StorageError.self) { try Login(Array("public".utf8)) }
        #expect(error?.code == .unprocessable)
        #expect(Login(presented: Array("public".utf8)) == .public)
    }

    @Test("Composed and decomposed letters, cases and look-alikes are different logins")
    func differs() throws {
        let texts = ["\u{E9}", "e\u{301}", "k", "K", "\u{212A}", "a", "\u{430}"]
        #expect(Set(try texts.map { try Login(Array($0.utf8)) }).count == texts.count)
    }
}
