import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

/// The answer to an upload by hash.
private struct StoredDocument: Decodable {
    var hash: String
    var fileHash: String
    var id: String
    var name: String
    var size: Int
}

@Suite("By hash")
struct HashRouteTests {
    private static let text = "hello"
    private static let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    private static let unknownHashes = [
        "", "x", "../../etc/passwd", "..%2F..%2Fetc%2Fpasswd", "%00", String(repeating: "0", count: 64),
        String(hash.dropLast()), hash + "0", "%20" + hash, hash + "%20", "sha256:" + hash, hash + "%0A",
        String(hash.dropLast()) + "%EF%BC%94", String(repeating: "%EF%BC%91", count: 64), "+" + hash.dropFirst(),
    ]

    private func store(
        _ client: RouteClient, _ text: String = text, as name: String = "a.txt", _ headers: HTTPFields = .ann
    ) async throws -> TestResponse {
        try await client.sendForm("/api/files", headers, [ReadPart("file", name, text)])
    }

    @Test("a form or the bytes alone are stored and described", arguments: Transport.allCases, [true, false])
    func upload(transport: Transport, isForm: Bool) async throws {
        try await RouteFixture.with(transport) { client in
            let answer =
                isForm
                ? try await store(client)
                : try await client.send(
                    .post, "/api/files", .ann.merging([.contentType: "text/plain"]), body: Self.text)
            #expect(answer.status == .ok)
            let document = try answer.decoded(StoredDocument.self)
            #expect(document.hash == Self.hash)
            #expect(document.fileHash == Self.hash)
            #expect(document.name == (isForm ? "a.txt" : Self.hash))
            #expect(document.size == 5)
            #expect(answer.headers[.location] == "/api/files/by-hash/\(Self.hash)")
            #expect(answer.headers[.reprDigest] != nil)
            let record = try await client.send(.get, "/api/v1/files/download?path=\(document.id)", .ann)
            #expect(record.text == Self.text)
            #expect(record.headers[.eTag] == answer.headers[.eTag])
            #expect(record.headers[.contentType] == "text/plain")
            let paths = try await client.paths()
            #expect(paths == ["by-hash/\(Self.hash)"])
        }
    }

    @Test("whoever knows the hash reads the file, with or without credentials", arguments: Transport.allCases)
    func download(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let stored = try await store(client)
            let credentials: [HTTPFields] = [[:], .ann, .bob, .basic("ann", "wrong"), .bearer("nonsense")]
            for uri in [
                "/api/files?hash=\(Self.hash)", "/api/files?file_hash=\(Self.hash)", "/api/files/?hash=\(Self.hash)",
                "/api/files?hash=\(Self.hash.uppercased())", "/api/files/by-hash/\(Self.hash)",
                "/api/files/by-hash/\(Self.hash.uppercased())", "/api/files/by-hash/\(Self.hash)/",
            ] {
                for headers in credentials {
                    let answer = try await client.send(.get, uri, headers)
                    #expect(answer.status == .ok, "\(uri)")
                    #expect(answer.text == Self.text)
                    #expect(answer.headers[.eTag] == stored.headers[.eTag])
                    #expect(answer.headers[.cacheControl] == "public, max-age=3600")
                    #expect(answer.headers[.vary] == "Authorization, X-Auth-Token")
                    #expect(answer.headers[.contentDisposition]?.contains("filename=\"a.txt\"") == true)
                    #expect(answer.headers[.contentSecurityPolicy] != nil)
                }
            }
            let range = try await client.send(.get, "/api/files?hash=\(Self.hash)", [.range: "bytes=1-2"])
            #expect(range.status == .partialContent)
            #expect(range.text == "el")
            let unchanged = try await client.send(
                .get, "/api/files?hash=\(Self.hash)", [.ifNoneMatch: try stored.tag()])
            #expect(unchanged.status == .notModified)
            let head = try await client.send(.head, "/api/files/by-hash/\(Self.hash)")
            #expect(head.headers[.contentLength] == "5")
        }
    }

    @Test("unknown, private and malformed hashes are all the same 404", arguments: Transport.allCases)
    func unknown(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put(Self.text, at: "private.txt")
            var answers: Set<String> = []
            for hash in Self.unknownHashes + [Self.hash] {
                var uris = ["/api/files?hash=\(hash)", "/api/files?file_hash=\(hash)"]
                if !hash.isEmpty { uris.append("/api/files/by-hash/\(hash)") }
                for uri in uris {
                    let answer = try await client.send(.get, uri)
                    let code = try answer.problem(.notFound)
                    #expect(code == "not_found", "\(uri)")
                    let id = try answer.decoded(ProblemDocument.self).requestId
                    answers.insert(
                        answer.text.split(separator: id).joined() + "\(answer.headers.map(\.name.rawName).sorted())")
                    let deletion = try await client.send(.delete, uri, .ann)
                    let refusal = try deletion.problem(.notFound)
                    #expect(refusal == "not_found")
                }
            }
            #expect(answers.count == 1)
            let text = try await client.send(.get, "/api/files/private.txt", .ann).text
            #expect(text == Self.text)
        }
    }

    @Test("uploading and deleting need credentials", arguments: Transport.allCases)
    func credentials(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.anonymousUploads = .on }) { client in
            _ = try await store(client)
            for headers in [[:], .basic("ann", "wrong"), .bearer("nonsense")] as [HTTPFields] {
                let answers = [
                    try await store(client, headers),
                    try await client.send(.post, "/api/files", headers, body: "x"),
                    try await client.send(.delete, "/api/files?hash=\(Self.hash)", headers),
                    try await client.send(.delete, "/api/files/by-hash/\(Self.hash)", headers),
                    try await client.send(.delete, "/api/files", headers),
                ]
                for answer in answers {
                    let code = try answer.problem(.unauthorized)
                    #expect(code == "unauthenticated")
                }
            }
        }
    }

    private func store(_ client: RouteClient, _ headers: HTTPFields) async throws -> TestResponse {
        try await store(client, Self.text, as: "a.txt", headers)
    }

    @Test("each owner has a reference of their own, and deletes only that", arguments: Transport.allCases)
    func owners(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let ann = try await store(client).decoded(StoredDocument.self)
            let bob = try await store(client, Self.text, as: "b.txt", .bob).decoded(StoredDocument.self)
            #expect(ann.hash == bob.hash)
            #expect(ann.id != bob.id)
            #expect(bob.name == "b.txt")
            let uri = "/api/files/by-hash/\(Self.hash)"
            let oldest = try await client.send(.get, uri)
            #expect(oldest.headers[.contentDisposition]?.contains("\"a.txt\"") == true)

            let deleted = try await client.send(.delete, "/api/files?hash=\(Self.hash.uppercased())", .ann)
            #expect(deleted.status == .ok)
            #expect(try deleted.members() == ["hash", "file_hash"])
            #expect(deleted.text.contains(Self.hash))
            let next = try await client.send(.get, uri)
            #expect(next.text == Self.text)
            #expect(next.headers[.contentDisposition]?.contains("\"b.txt\"") == true)
            for (method, target) in [(HTTPRequest.Method.delete, uri), (.delete, "/api/files?file_hash=\(Self.hash)")] {
                let code = try await client.send(method, target, .ann).problem(.forbidden)
                #expect(code == "forbidden")
            }

            let last = try await client.send(.delete, uri, .bob)
            #expect(last.status == .noContent)
            #expect(last.body.readableBytes == 0)
            for headers in [.ann, .bob] as [HTTPFields] {
                let gone = try await client.send(.delete, uri, headers)
                _ = try gone.problem(.notFound)
            }
            _ = try await client.send(.get, uri).problem(.notFound)
        }
    }

    @Test(
        "the hash to delete is taken from the query or from a body", arguments: Transport.allCases,
        [
            ("/api/files?hash=", "", ""), ("/api/files?file_hash=", "", ""),
            ("/api/files", "application/json", #"{"file_hash": "#), ("/api/files", "application/json", #"{"hash": "#),
            ("/api/files", "application/x-www-form-urlencoded", "file_hash="),
        ])
    func deletionParameters(transport: Transport, request: (uri: String, type: String, start: String)) async throws {
        try await RouteFixture.with(transport) { client in
            _ = try await store(client)
            var (uri, body, headers) = (request.uri, String?.none, HTTPFields.ann)
            if request.type.isEmpty {
                uri += Self.hash
            } else {
                headers[.contentType] = request.type
                body = request.start + (request.start.hasPrefix("{") ? "\"\(Self.hash)\"}" : Self.hash)
            }
            let answer = try await client.send(.delete, uri, headers, body: body)
            #expect(answer.status == .ok, "\(answer.text)")
            _ = try await client.send(.get, "/api/files?hash=\(Self.hash)").problem(.notFound)
        }
    }

    @Test("a deletion that names no hash, or two, is refused", arguments: Transport.allCases)
    func badDeletions(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            _ = try await store(client)
            let none = try await client.send(.delete, "/api/files", .ann).problem(.badRequest)
            #expect(none == "missing_hash")
            let malformed = try await client.sendJSON(.delete, "/api/files", .ann, "{").problem(.badRequest)
            #expect(malformed == "invalid_json")
            let empty = try await client.sendJSON(.delete, "/api/files", .ann, "{}")
            _ = try empty.problem(.unprocessableContent)
            #expect(empty.text.contains("file_hash"))
            for query in ["hash=a&file_hash=b", "hash=a&hash=a"] {
                for method in [HTTPRequest.Method.get, .delete] {
                    let code = try await client.send(method, "/api/files?\(query)", .ann).problem(.badRequest)
                    #expect(code == "invalid_query")
                }
            }
            let left = try await client.send(.get, "/api/files?hash=\(Self.hash)&file_hash=\(Self.hash)")
            #expect(left.text == Self.text)
        }
    }

    @Test("the same bytes again are the same file, and the last name counts", arguments: Transport.allCases)
    func again(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let first = try await store(client)
            let same = try await store(client)
            #expect(same.status == .ok)
            #expect(same.headers[.eTag] == first.headers[.eTag])
            #expect(same.headers[.location] == nil)
            let renamed = try await store(client, as: "sub/\u{43f}.txt")
            #expect(renamed.headers[.eTag] != first.headers[.eTag])
            let documents = try [first, same, renamed].map { try $0.decoded(StoredDocument.self) }
            #expect(Set(documents.map(\.id)).count == 1)
            #expect(documents.map(\.name) == ["a.txt", "a.txt", "\u{43f}.txt"])
            let answer = try await client.send(.get, "/api/files?hash=\(Self.hash)")
            #expect(answer.headers[.contentDisposition]?.contains("UTF-8''%D0%BF.txt") == true)
        }
    }

    @Test("with X-Auth-Token the paths are those of a container", arguments: Transport.allCases)
    func containers(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            _ = try await store(client)
            let token = HTTPFields.newToken()
            let list = try await client.send(.get, "/api/files?hash=\(Self.hash)", token)
            #expect(list.text == "[]")
            let refused = try await store(client, Self.text, as: "a.txt", token)
            #expect(refused.status == .methodNotAllowed)
            _ = try await client.send(.get, "/api/files/by-hash/\(Self.hash)", token).problem(.notFound)
            try await client.put("mine", at: "by-hash/\(Self.hash)", token)
            let mine = try await client.send(.get, "/api/files/by-hash/\(Self.hash)", token)
            #expect(mine.text == "mine")
            #expect(mine.headers[.cacheControl] == "private, no-cache")
            let others = try await client.send(.get, "/api/files/by-hash/\(Self.hash)")
            #expect(others.text == Self.text)
            let deleted = try await client.send(.delete, "/api/files/by-hash/\(Self.hash)", token)
            #expect(deleted.status == .noContent)
            let kept = try await client.send(.get, "/api/files/by-hash/\(Self.hash)")
            #expect(kept.status == .ok)
            let mixed = try await client.send(.get, "/api/files?hash=\(Self.hash)", token.merging(.ann))
            _ = try mixed.problem(.badRequest)
        }
    }

    @Test("a list needs no hash in its query, whoever asks", arguments: Transport.allCases)
    func lists(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            _ = try await store(client)
            let paths = try await client.send(.get, "/api/files?limit=5", .ann).decoded([String].self)
            #expect(paths == ["by-hash/\(Self.hash)"])
            _ = try await client.send(.get, "/api/files").problem(.unauthorized)
        }
    }

    @Test("no other dialect puts anything in its place, and every one shows and deletes", arguments: Transport.allCases)
    func place(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            _ = try await store(client)
            try await client.put("x", at: "a")
            let path = "by-hash/\(Self.hash)"
            let attempts = [
                try await client.put("other", at: path),
                try await client.put("other", at: "by-hash/a"),
                try await client.send(.put, "/api/files/by%2Dhash/a", .ann, body: "x"),
                try await client.send(.post, "/api/v1/files/upload?path=/\(path)", .ann, body: "x"),
                try await client.sendForm(
                    "/api/v1/files/upload", .ann, [ReadPart("path", nil, "by-hash/"), ReadPart("file", "b", "x")]),
                try await client.sendJSON(.post, "/api/v1/folders", .ann, #"{"path": "by-hash/b"}"#),
                try await client.sendJSON(.post, "/api/v1/files/move", .ann, #"{"from": "a", "to": "by-hash/a"}"#),
                try await client.sendJSON(.post, "/api/v1/files/copy", .ann, #"{"from": "a", "to": "by-hash/a"}"#),
                try await client.sendJSON(.post, "/api/v1/files/move", .ann, #"{"from": "\#(path)", "to": "b"}"#),
                try await client.sendJSON(.post, "/api/v1/files/move", .ann, #"{"from": "by-hash", "to": "b"}"#),
            ]
            for (number, answer) in attempts.enumerated() {
                let code = try answer.problem(.conflict)
                #expect(code == "path_conflict", "\(number)")
            }
            let paths = try await client.paths()
            #expect(paths == ["a", path])
            let own = try await client.send(.get, "/api/v1/files/download?path=/\(path)", .ann)
            #expect(own.text == Self.text)
            #expect(own.headers[.cacheControl] == "private, no-cache")
            let deleted = try await client.send(.delete, "/api/v1/files?path=/\(path)", .ann)
            #expect(deleted.status == .noContent)
            _ = try await client.send(.get, "/api/files?hash=\(Self.hash)").problem(.notFound)
        }
    }

    @Test("conditions are decided for the file of the hash", arguments: Transport.allCases)
    func conditions(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let headers = HTTPFields.ann.merging([.ifNoneMatch: "*"])
            let first = try await store(client, Self.text, as: "a.txt", headers)
            #expect(first.status == .ok)
            let second = try await store(client, Self.text, as: "b.txt", headers)
            _ = try second.problem(.preconditionFailed)
            let uri = "/api/files/by-hash/\(Self.hash)"
            let wrong = HTTPFields.ann.merging([.ifMatch: "\"nothing\""])
            _ = try await client.send(.delete, uri, wrong).problem(.preconditionFailed)
            let right = HTTPFields.ann.merging([.ifMatch: try first.tag()])
            let deleted = try await client.send(.delete, uri, right)
            #expect(deleted.status == .noContent)
        }
    }

    @Test("what cannot be stored leaves nothing", arguments: Transport.allCases)
    func refusals(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.files.uploadSize = 4 }) { client in
            let gzip = HTTPFields.ann.merging([.contentEncoding: "gzip"])
            let cases: [(TestResponse, HTTPResponse.Status)] = [
                (try await store(client), .contentTooLarge),
                (try await client.send(.post, "/api/files", .ann, body: Self.text), .contentTooLarge),
                (try await client.send(.post, "/api/files", gzip, body: "x"), .unsupportedMediaType),
                (try await store(client, "x", as: "a", gzip), .unsupportedMediaType),
                (try await client.sendForm("/api/files", .ann, [ReadPart("file", nil, "x")]), .unprocessableContent),
                (try await client.sendForm("/api/files", .ann, []), .unprocessableContent),
                (try await client.sendJSON(.post, "/api/files", .ann, "{}"), .unprocessableContent),
                (try await client.sendJSON(.post, "/api/files", .ann, "{"), .badRequest),
                (try await store(client, "x", as: ".."), .badRequest),
                (
                    try await client.send(
                        .post, "/api/files", .ann.merging([.contentType: "multipart/form-data; boundary=b"]),
                        body: "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nx"), .badRequest
                ),
            ]
            for (answer, status) in cases { _ = try answer.problem(status) }
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }
}
