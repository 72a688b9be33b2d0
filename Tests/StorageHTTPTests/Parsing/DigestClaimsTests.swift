import Testing

@testable import StorageHTTP

@Suite("Digests that a sender names")
struct DigestClaimsTests {
    private static let text = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    private static let bytes: [UInt8] = Base64.decode(Array(text.utf8)) ?? []
    private static let zero = String(repeating: "A", count: 43) + "="

    @Test(
        "are read from both fields, and unknown algorithms are passed over",
        arguments: [
            ([], [], 0), (["sha-256=:\(text):"], [], 1), ([], ["sha-256=:\(text):"], 1),
            (["sha-256=:\(text):"], ["sha-256=:\(text):"], 2), (["sha-512=:AAAA:"], [], 0),
            (["md5=:AAAA:, x=1"], [], 0),
            (["sha-512=:AAAA:, sha-256=:\(text):"], [], 1), (["sha-512=:AAAA:", "sha-256=:\(text):"], [], 1),
            (["sha-256=:\(text.dropLast()):"], [], 1), (["sha-256=:\(zero):, sha-256=:\(text):"], [], 1),
            (["sha-256=:\(text):;q=1"], [], 1), ([""], [], 0),
        ] as [([String], [String], Int)])
    func reads(representation: [String], content: [String], count: Int) throws {
        let claims = try DigestClaims(representation: representation, content: content)
        #expect(claims.sha256 == Array(repeating: Self.bytes, count: count))
        #expect(claims.md5 == nil)
    }

    @Test(
        "that are malformed are an error, never overlooked",
        arguments: [
            "sha-256", "sha-256=\(text)", "sha-256=\"\(text)\"", "sha-256=:\(text)", "sha-256=:AAAA:", "sha-256=::",
            "sha-256=:\(text)AAAA:", "sha-256=1", "SHA-256=:\(text):", "sha-256=(:\(text):)", "sha-256=:\(text):,",
            "sha-256=:\(text): x", "sha-256:\(text)", "sha-512=:A:", "x=",
            "sha-256=:LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ:",
        ])
    func refuses(text: String) {
        #expect(refusal { try DigestClaims(representation: [text], content: []) }?.code == .invalidDigest)
        #expect(refusal { try DigestClaims(representation: [], content: [text]) }?.code == .invalidDigest)
    }

    @Test("of Content-MD5 are one base64 of 16 bytes")
    func md5() throws {
        let text = "XUFAKrxLKna5cZ2REBfFkg=="
        let claims = try DigestClaims(representation: [], content: [], md5: [text])
        #expect(claims.md5 == Base64.decode(Array(text.utf8)))
        for lines in [
            [""], [String(text.dropLast())], [String(text.dropLast(2))], [":\(text):"],
            ["5d41402abc4b2a76b9719d911017c592"],
            [text, text], [Self.text], ["XUFAKrxLKna5cZ2REBfFk==="], ["é"],
        ] {
            #expect(
                refusal { try DigestClaims(representation: [], content: [], md5: lines) }?.code == .invalidDigest,
                "\(lines)")
        }
    }

    @Test(
        "are wanted from a preference of 1 on",
        arguments: [
            (["sha-256"], true), (["sha-256=1"], true), (["sha-256=10"], true), (["sha-256=0"], false),
            (["sha-256=11"], false), (["sha-256=-1"], false), (["sha-256=1.0"], false),
            (["sha-512=3, sha-256=2"], true),
            (["sha-512=3", "sha-256=2"], true), (["sha-512=10"], false), ([], false), ([""], false),
            (["sha-256=1,"], false),
            (["sha-256=5;x"], true), (["sha-256=?1"], false),
        ] as [([String], Bool)])
    func wants(lines: [String], isWanted: Bool) {
        #expect(DigestClaims.wantsSHA256(lines) == isWanted)
    }
}
