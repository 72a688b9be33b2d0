import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Digests")
struct DigestTests {
    /// One way to say something of "hello", and what is said then.
    struct Claim: Sendable, CustomTestStringConvertible {
        let name: HTTPField.Name
        let value: String
        /// nil where it is right.
        let code: String?

        var testDescription: String { "\(name): \(value)" }
        var headers: HTTPFields { [name: value] }
    }

    private static let right = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    private static let wrong = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    private static let rightMD5 = "XUFAKrxLKna5cZ2REBfFkg=="
    private static let wrongMD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="

    private static let claims: [Claim] = [
        Claim(name: .reprDigest, value: "sha-256=:\(right):", code: nil),
        Claim(name: .contentDigest, value: "sha-256=:\(right):", code: nil),
        Claim(name: .contentMD5, value: rightMD5, code: nil),
        Claim(name: .reprDigest, value: "sha-512=:AAAA:, md5=:AAAA:", code: nil),
        Claim(name: .reprDigest, value: "sha-256=:\(wrong):", code: "digest_mismatch"),
        Claim(name: .contentDigest, value: "sha-256=:\(wrong):", code: "digest_mismatch"),
        Claim(name: .contentMD5, value: wrongMD5, code: "digest_mismatch"),
        Claim(name: .reprDigest, value: "sha-256=\(right)", code: "invalid_digest"),
        Claim(name: .contentDigest, value: "sha-256=:AAAA:", code: "invalid_digest"),
        Claim(name: .contentMD5, value: "5d41402abc4b2a76b9719d911017c592", code: "invalid_digest"),
    ]

    /// Expects what a claim leads to, and that nothing is there unless it was right.
    private func expect(
        _ claim: Claim, _ answer: TestResponse, _ status: HTTPResponse.Status, _ client: RouteClient
    ) async throws {
        if let code = claim.code {
            let found = try answer.problem(.badRequest)
            #expect(found == code)
        } else {
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.headers[.reprDigest] == "sha-256=:\(Self.right):")
        }
        let paths = try await client.paths()
        #expect(paths == (claim.code == nil ? ["a.txt"] : []))
    }

    @Test("of a raw body are checked before anything is stored", arguments: Transport.allCases, claims)
    func raw(_ transport: Transport, _ claim: Claim) async throws {
        try await RouteFixture.with(transport) { client in
            let put = try await client.put("hello", at: "a.txt", .ann.merging(claim.headers))
            try await expect(claim, put, .noContent, client)
            guard claim.code != nil else { return }
            let post = try await client.send(
                .post, "/api/v1/files/upload?path=/a.txt", .ann.merging(claim.headers), body: "hello")
            try await expect(claim, post, .created, client)
        }
    }

    @Test("in the head of a file's part speak of the part", arguments: Transport.allCases, claims)
    func part(_ transport: Transport, _ claim: Claim) async throws {
        try await RouteFixture.with(transport) { client in
            let body =
                "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\n/a.txt\r\n"
                + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
                + "\(claim.name): \(claim.value)\r\n\r\nhello\r\n--b--\r\n"
            let headers = HTTPFields.ann.merging([.contentType: "multipart/form-data; boundary=b"])
            let answer = try await client.send(.post, "/api/v1/files/upload", headers, body: body)
            try await expect(claim, answer, .created, client)
        }
    }

    @Test(
        "in the head of any other part are checked too", arguments: Transport.allCases,
        ["path\"", "x\"; filename=\"x\""])
    func otherPart(_ transport: Transport, _ part: String) async throws {
        try await RouteFixture.with(transport) { client in
            let body =
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n"
                + "--b\r\nContent-Disposition: form-data; name=\"\(part)\r\n"
                + "Content-Digest: sha-256=:\(Self.wrong):\r\n\r\n/a.txt\r\n--b--\r\n"
            let headers = HTTPFields.ann.merging([.contentType: "multipart/form-data; boundary=b"])
            for route in ["/api/v1/files/upload?path=a.txt", "/api/files", "/http/upload"] {
                let code = try await client.send(.post, route, headers, body: body).problem(.badRequest)
                #expect(code == "digest_mismatch")
            }
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }

    @Test("of a request with a form speak of the whole form", arguments: Transport.allCases)
    func form(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let parts = [
                ReadPart("path", nil, "/a.txt"),
                ReadPart("file", "a.txt", "hello"),
            ]
            let bytes = MultipartBody.write(parts, boundary: "b")
            var md5 = try MD5Hasher()
            try md5.update(ByteBuffer(bytes: bytes))
            let whole = Base64.encode(try SHA256.hash(bytes))
            for (fields, code) in [
                ([.reprDigest: "sha-256=:\(Self.right):"], "digest_mismatch"),
                ([.contentDigest: "sha-256=:\(Self.right):"], "digest_mismatch"),
                ([.contentMD5: Self.rightMD5], "digest_mismatch"),
            ] as [(HTTPFields, String)] {
                let found = try await client.sendForm("/api/v1/files/upload", .ann.merging(fields), parts)
                    .problem(.badRequest)
                #expect(found == code)
            }
            let none = try await client.paths()
            #expect(none.isEmpty)
            let fields: HTTPFields = [
                .reprDigest: "sha-256=:\(whole):", .contentDigest: "sha-256=:\(whole):",
                .contentMD5: Base64.encode(try md5.finalize()),
            ]
            let answer = try await client.sendForm("/api/v1/files/upload", .ann.merging(fields), parts)
            #expect(answer.status == .created, "\(answer.text)")
        }
    }

    @Test("of a request that is no upload are checked too", arguments: Transport.allCases)
    func other(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let digest: HTTPFields = [.contentDigest: "sha-256=:\(Self.wrong):"]
            let code = try await client.sendJSON(.post, "/api/v1/folders", .ann.merging(digest), #"{"path": "a"}"#)
                .problem(.badRequest)
            #expect(code == "digest_mismatch")
            let list = try await client.send(.get, "/api/v1/files?folder=/", .ann)
            #expect(!list.text.contains("folder"))
        }
    }

    @Test("that do not fit leave what was there as it was", arguments: Transport.allCases)
    func overwrite(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let tag = try await client.put("before", at: "a.txt").tag()
            _ = try await client.put("hello", at: "a.txt", .ann.merging([.reprDigest: "sha-256=:\(Self.wrong):"]))
                .problem(.badRequest)
            let after = try await client.send(.get, "/api/files/a.txt", .ann)
            #expect(after.text == "before")
            #expect(after.headers[.eTag] == tag)
        }
    }

    @Test("are told with a download to an owner who wants them", arguments: Transport.allCases)
    func wanted(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a.txt")
            for uri in ["/api/files/a.txt", "/api/v1/files/download?path=a.txt"] {
                for (want, isTold) in [("sha-256=1", true), ("sha-256=0", false), ("sha-512=1", false), (",", false)] {
                    for (method, range) in [(HTTPRequest.Method.get, nil), (.head, nil), (.get, "bytes=1-2")] {
                        var headers = HTTPFields.ann.merging([.wantReprDigest: want])
                        headers[.range] = range
                        let answer = try await client.send(method, uri, headers)
                        #expect(answer.status == (range == nil ? .ok : .partialContent))
                        #expect(answer.headers[.reprDigest] == (isTold ? "sha-256=:\(Self.right):" : nil))
                    }
                }
                let plain = try await client.send(.get, uri, .ann)
                #expect(plain.headers[.reprDigest] == nil)
            }
        }
    }

    @Test(
        "and the new revision's tag are told with every upload, and the place of a new file",
        arguments: Transport.allCases)
    func uploads(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let form = [ReadPart("file", "c.txt", "hello")]
            for isNew in [true, false] {
                let answers = [
                    try await client.put(
                        "hello", at: "a.txt", isNew ? .ann : .ann.merging([.contentType: "text/html"])),
                    try await client.send(
                        .post, "/api/v1/files/upload?path=/b.txt", .ann, body: isNew ? "hello" : "hello!"),
                    try await client.sendForm("/api/v1/files/upload?path=/d/\(isNew ? "" : "e.txt")", .ann, form),
                ]
                for (answer, place) in zip(
                    answers,
                    [
                        "/api/files/a.txt", "/api/v1/files/download?path=%2Fb.txt",
                        "/api/v1/files/download?path=%2Fd/c.txt",
                    ])
                {
                    #expect(answer.headers[.eTag]?.hasPrefix("\"") == true)
                    #expect(answer.headers[.reprDigest]?.hasPrefix("sha-256=:") == true)
                    if isNew {
                        #expect(answer.headers[.location] == place)
                        let found = try await client.send(.get, place, .ann)
                        #expect(found.text == "hello")
                    }
                }
            }
            let again = try await client.put("hello", at: "a.txt", .ann.merging([.contentType: "text/html"]))
            #expect(again.headers[.location] == nil)
            #expect(again.headers[.eTag] != nil)
        }
    }
}
