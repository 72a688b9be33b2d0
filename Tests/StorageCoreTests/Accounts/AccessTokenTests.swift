import NIOCore
import Testing

@testable import StorageCore

@Suite("Tokens")
struct AccessTokenTests {
    @Test("a new token is 43 bytes of base64url that nobody else gets")
    func newTokens() throws {
        let tokens = try (0..<100).map { _ in try AccessToken() }
        for token in tokens {
            #expect(token.text.utf8.count == 43)
            #expect(AccessToken(text: token.text.utf8)?.text == token.text)
        }
        #expect(Set(tokens.map(\.text)).count == 100)
    }

    static let malformedTexts = [
        "", "A", String(repeating: "A", count: 42), String(repeating: "A", count: 44),
        String(repeating: "A", count: 42) + "=",
        String(repeating: "A", count: 42) + "+", String(repeating: "A", count: 42) + "B",
        String(repeating: "A", count: 41) + "é",
        " " + String(repeating: "A", count: 42),
    ]

    @Test("every other text is none", arguments: malformedTexts)
    func malformed(text: String) {
        #expect(AccessToken(text: text.utf8) == nil)
    }

    @Test("only its digest is stored")
    func digest() throws {
        let token = try #require(AccessToken(text: String(repeating: "A", count: 43).utf8))
        let digest = try token.digest
        #expect(digest.bytes == (try SHA256.hash([UInt8](repeating: 65, count: 43))))
    }

    @Test("a container token's digest is that of its sixteen bytes, whatever the case of its text")
    func containerDigest() throws {
        let texts = ["0190a000-aaaa-4bbb-8ccc-00000000000f", "0190A000-AAAA-4BBB-8CCC-00000000000F"]
        for text in texts {
            let uuid = try #require(Identifier<ContainerToken>(text: text.utf8))
            let token = try #require(ContainerToken(uuid))
            let digest = try token.digest
            let bytes: [UInt8] = [0x01, 0x90, 0xA0, 0, 0xAA, 0xAA, 0x4B, 0xBB, 0x8C, 0xCC, 0, 0, 0, 0, 0, 0x0F]
            #expect(digest.bytes == (try SHA256.hash(bytes)))
        }
    }

    @Test("it does not show itself")
    func redaction() throws {
        let token = try AccessToken()
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped] { #expect(!text.contains(token.text)) }
    }

    @Test("base 64 is the RFC's, without padding, and strict")
    func base64() {
        let vectors = [
            "": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE", "foobar": "Zm9vYmFy",
        ]
        for (plain, text) in vectors {
            #expect(Base64Text.encode(Array(plain.utf8), .standard) == text)
            #expect(Base64Text.decode(text.utf8, .url) == Array(plain.utf8))
        }
        #expect(Base64Text.encode([0xFB, 0xFF], .standard) == "+/8")
        #expect(Base64Text.encode([0xFB, 0xFF], .url) == "-_8")
        for text in ["A", "Zh", "Zm9=", "Zg==", "Z g", "Zm9v\n", "-_8"] {
            #expect(Base64Text.decode(text.utf8, .standard) == nil)
        }
    }
}
