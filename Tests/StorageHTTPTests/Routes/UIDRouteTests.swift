import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

/// The answer to an upload by uid.
private struct StoredDocument: Decodable {
    var message: String
    var uid: String
    var name: String
    var size: Int
}

@Suite("By uid")
struct UIDRouteTests {
    private static let uploads = ["/http/upload", "/stream/upload"]
    private static let lastLine = "File saved with UID: "

    private func store(
        _ client: RouteClient, _ text: String = "hello", as name: String = "a.txt", _ headers: HTTPFields = .ann,
        at uri: String = "/http/upload"
    ) async throws -> TestResponse {
        try await client.sendForm(uri, headers, [ReadPart("file", name, text)])
    }

    /// The uid of a complete answer of either kind.
    private func uid(_ answer: TestResponse) throws -> String {
        #expect(answer.status == .ok, "\(answer.text)")
        if answer.headers[.contentType] == "application/json" { return try answer.decoded(StoredDocument.self).uid }
        let last = try #require(answer.text.split(separator: "\n").last)
        #expect(last.hasPrefix(Self.lastLine))
        return String(last.dropFirst(Self.lastLine.count))
    }

    @Test("an upload is answered with its uid, in the words of the dialect", arguments: Transport.allCases)
    func upload(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let answer = try await store(client)
            let document = try answer.decoded(StoredDocument.self)
            #expect(document.message == "Файл сохранен под именем \(document.uid)")
            #expect(document.name == "a.txt")
            #expect(document.size == 5)
            let uid = try #require(Identifier<Link>(text: document.uid.utf8))
            #expect(uid.description == document.uid)
            #expect(uid.bytes[6] >> 4 == 4, "random, not made of the time")
            #expect(answer.headers[.location] == "/http/load/\(uid)")
            #expect(answer.headers[.eTag] != nil)
            #expect(answer.headers[.reprDigest] != nil)
            let paths = try await client.paths()
            #expect(paths == ["txt_files/\(uid).txt"])
            let record = try await client.send(.get, "/api/v1/files", .ann).decoded(ListDocument.self).files[0]
            #expect(record.id != document.uid)
            _ = try await client.send(.get, "/http/load/\(record.id)").problem(.notFound)
        }
    }

    @Test("whoever knows the uid reads the file, on both paths", arguments: Transport.allCases, uploads)
    func download(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            let uid = try uid(try await store(client, at: uri))
            for route in ["/http/load/", "/stream/load/"] {
                for name in [uid, uid + ".txt", uid + "/", uid.uppercased(), uid + ".anything"] {
                    for headers in [[:], .ann, .bob, .basic("ann", "wrong")] as [HTTPFields] {
                        let answer = try await client.send(.get, route + name, headers)
                        #expect(answer.status == .ok, "\(route)\(name)")
                        #expect(answer.text == "hello")
                        #expect(answer.headers[.cacheControl] == "public, max-age=3600")
                        #expect(answer.headers[.contentDisposition]?.contains("filename=\"a.txt\"") == true)
                    }
                }
                let head = try await client.send(.head, route + uid)
                #expect(head.headers[.contentLength] == "5")
                let range = try await client.send(.get, route + uid, [.range: "bytes=-2"])
                #expect(range.text == "lo")
                let unknown = [
                    Identifier<Link>.random().description, "x", "../../etc/passwd", String(uid.dropLast()), uid + "x",
                    uid + "./x", "%7B\(uid)%7D", "%00", uid.split(separator: "-").joined(),
                    "00000000-0000-0000-0000-000000000000",
                ]
                for name in unknown {
                    let code = try await client.send(.get, route + name, .ann).problem(.notFound)
                    #expect(code == "not_found", "\(name)")
                }
            }
        }
    }

    @Test(
        "a file goes into the folder of its sort, with its own extension",
        arguments: [
            ("a.png", "images_files", ".png"), ("a.JPG", "images_files", ".JPG"), ("a.mp3", "media_files", ".mp3"),
            ("a.mp4", "media_files", ".mp4"), ("a.txt", "txt_files", ".txt"), ("a.py", "txt_files", ".py"),
            ("a.bin", "other_files", ".bin"), ("a.tar.gz", "other_files", ".gz"), ("a", "other_files", ""),
            (".hidden", "other_files", ""), ("a.", "other_files", ""), ("a.\u{43f}", "other_files", ".\u{43f}"),
            ("x/y.txt", "txt_files", ".txt"), ("a." + String(repeating: "x", count: 40), "other_files", ""),
        ])
    func categories(name: String, folder: String, suffix: String) async throws {
        try await RouteFixture.with(.router) { client in
            let uid = try uid(try await store(client, as: name))
            let paths = try await client.paths()
            #expect(paths == ["\(folder)/\(uid)\(suffix)"])
        }
    }

    @Test(
        "files of all principals stay their own, whatever they upload through", arguments: Transport.allCases, uploads)
    func namespaces(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport, { $0.anonymousUploads = .on }) { client in
            let token = HTTPFields.newToken()
            for headers in [.ann, .bob, token] as [HTTPFields] {
                let uid = try uid(try await store(client, "x", as: "a.txt", headers, at: uri))
                let paths = try await client.paths(headers)
                #expect(paths == ["txt_files/\(uid).txt"])
                let own = try await client.send(.get, "/api/files/txt_files/\(uid).txt", headers)
                #expect(own.text == "x")
                #expect(own.headers[.cacheControl] == "private, no-cache")
            }
            let uid = try uid(try await store(client, "x", as: "a.txt", [:], at: uri))
            let everybodys = try await client.send(.get, "/http/load/\(uid)")
            #expect(everybodys.text == "x")
            let record = try #require(
                try await client.fixture.metadata.account(.login(.public)), "the owner of what nobody owns")
            #expect(record.account.kind == .builtIn)
        }
    }

    @Test(
        "a uid ends when its file is overwritten or deleted, and stays when it is moved", arguments: Transport.allCases)
    func links(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let moved = try uid(try await store(client, "moved"))
            let body = #"{"from": "txt_files/\#(moved).txt", "to": "b.txt"}"#
            try await client.sendJSON(.post, "/api/v1/files/move", .ann, body)
            let answer = try await client.send(.get, "/http/load/\(moved)")
            #expect(answer.text == "moved")
            let overwritten = try uid(try await store(client))
            try await client.put("secret", at: "txt_files/\(overwritten).txt")
            let deleted = try uid(try await store(client))
            try await client.send(.delete, "/api/files/txt_files/\(deleted).txt", .ann)
            for uid in [overwritten, deleted] {
                _ = try await client.send(.get, "/http/load/\(uid)").problem(.notFound)
            }
            try await client.put("hello", at: "txt_files/\(overwritten).txt")
            _ = try await client.send(.get, "/http/load/\(overwritten)").problem(.notFound)
        }
    }

    @Test("every upload is a file of its own", arguments: Transport.allCases)
    func again(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            var uids: Set<String> = []
            for _ in 0..<3 { uids.insert(try uid(try await store(client))) }
            #expect(uids.count == 3)
            let condition = HTTPFields.ann.merging([.ifMatch: "*"])
            for uri in Self.uploads {
                _ = try await store(client, "x", as: "a", condition, at: uri).problem(.preconditionFailed)
            }
            let paths = try await client.paths()
            #expect(paths.count == 3)
        }
    }

    @Test(
        "those without credentials may upload where it is allowed", arguments: Transport.allCases,
        AnonymousUploads.allCases)
    func anonymous(transport: Transport, mode: AnonymousUploads) async throws {
        try await RouteFixture.with(transport, { $0.anonymousUploads = mode }) { client in
            // Only a live connection has a peer.
            let isAllowed = mode == .on || mode == .auto && transport == .live
            let forwarding = ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Anything", "X-Real-IP"]
            for uri in Self.uploads {
                let plain = try await store(client, "x", as: "a", [:], at: uri)
                #expect(plain.status == (isAllowed ? .ok : .unauthorized))
                for name in forwarding {
                    let field = try #require(HTTPField.Name(name))
                    let proxied = try await store(client, "x", as: "a", [field: "127.0.0.1"], at: uri)
                    #expect(proxied.status == (mode == .on ? .ok : .unauthorized), "\(name)")
                }
                for wrong in [.basic("ann", "wrong"), .basic("public", ""), .bearer("x"), .token("x")] as [HTTPFields] {
                    let code = try await store(client, "x", as: "a", wrong, at: uri).problem(.unauthorized)
                    #expect(["unauthenticated", "invalid_credentials"].contains(code))
                }
            }
        }
    }

    @Test(
        "a request without a file, or with one that has no name for a file, is refused", arguments: Transport.allCases)
    func refusals(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.files.uploadSize = 100 }) { client in
            for uri in Self.uploads {
                let gzip = HTTPFields.ann.merging([.contentEncoding: "gzip"])
                let cases: [(TestResponse, HTTPResponse.Status)] = [
                    (try await client.send(.post, uri, .ann), .unprocessableContent),
                    (try await client.send(.post, uri, .ann, body: "x"), .unprocessableContent),
                    (try await client.sendJSON(.post, uri, .ann, "{}"), .unprocessableContent),
                    (try await client.sendForm(uri, .ann, []), .unprocessableContent),
                    (try await client.sendForm(uri, .ann, [ReadPart("file", nil, "x")]), .unprocessableContent),
                    (try await client.sendForm(uri, .ann, [ReadPart("file", "", "x")]), .unprocessableContent),
                    (try await store(client, "x", as: "..", at: uri), .badRequest),
                    (try await store(client, "x", as: "a", gzip, at: uri), .unsupportedMediaType),
                ]
                for (number, (answer, status)) in cases.enumerated() {
                    #expect(answer.status == status, "\(number)")
                    _ = try answer.problem(status)
                }
            }
            _ = try await store(client, String(repeating: "x", count: 101)).problem(.contentTooLarge)
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }

    @Test(
        "the file of a form is its first part with a filename, wherever it stands", arguments: Transport.allCases,
        uploads)
    func fields(transport: Transport, uri: String) async throws {
        try await RouteFixture.with(transport) { client in
            let parts = [
                ReadPart("comment", nil, "x"), ReadPart("empty", "", ""), ReadPart("data", "a.txt", "first"),
                ReadPart("more", "b.txt", "second"), ReadPart("last", nil, "y"),
            ]
            let uid = try uid(try await client.sendForm(uri, .ann, parts))
            let answer = try await client.send(.get, "/stream/load/\(uid)")
            #expect(answer.text == "first")
            let paths = try await client.paths()
            #expect(paths.count == 1)
        }
    }
}
