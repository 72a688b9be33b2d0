import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Uploading")
struct UploadRouteTests {
    private static let upload = "/api/v1/files/upload"
    private static let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    private static let helloDigest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"

    @Test("answers with the record, its tag, its digest and its place", arguments: Transport.allCases)
    func record(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let created = try await client.sendForm(
                Self.upload, .ann, [ReadPart("path", nil, "docs/"), ReadPart("file", "a.txt", "hello")])
            #expect(created.status == .created)
            let members = try created.members()
            #expect(
                members == [
                    "id", "name", "created_ad", "created_at", "modified_at", "path", "size", "is_downloadable", "hash",
                    "media_type", "kind", "type",
                ])
            let record = try created.record()
            #expect(Identifier<FileRecord>(text: record.id.utf8) != nil)
            #expect(record.name == "a.txt")
            #expect(record.path == "/docs/a.txt")
            #expect(record.size == 5)
            #expect(record.isDownloadable)
            #expect(record.hash == Self.hello)
            #expect(record.mediaType == "text/plain")
            #expect(record.kind == "text")
            #expect(record.type == "file")
            #expect(record.createdAd == record.createdAt)
            #expect(record.createdAt.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            #expect(created.headers[.reprDigest] == Self.helloDigest)
            let location = try #require(created.headers[.location])
            let fetched = try await client.send(.get, location, .ann)
            #expect(fetched.text == "hello")
            #expect(fetched.headers[.eTag] == created.headers[.eTag])

            let again = try await client.sendForm(
                Self.upload, .ann, [ReadPart("path", nil, "docs/"), ReadPart("file", "a.txt", "hello")])
            #expect(again.status == .ok)
            #expect(again.headers[.eTag] == created.headers[.eTag])
            #expect(again.headers[.location] == nil)

            let overwritten = try await client.sendForm(
                Self.upload, .ann, [ReadPart("path", nil, "docs/"), ReadPart("file", "a.txt", "hello!")])
            #expect(overwritten.status == .ok)
            let now = try overwritten.record()
            #expect(now.id == record.id)
            #expect(now.size == 6)
            #expect(overwritten.headers[.eTag] != created.headers[.eTag])
        }
    }

    @Test("leads to a place that can be followed, whatever the name", arguments: Transport.allCases)
    func locations(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for name in [
                "a+b", "a b", "a&b=c", "50%", "a%2Fb", "a?b#c", "\u{e9}", "e\u{301}", "\u{1f4c4}", "a;b,c", "'\"\\",
            ] {
                let uploads = [
                    try await client.send(.post, "\(Self.upload)?path=v1%2F\(query(name))", .ann, body: name),
                    try await client.put(name, at: "plain/\(name)"),
                ]
                for upload in uploads {
                    let location = try #require(upload.headers[.location])
                    let fetched = try await client.send(.get, location, .ann)
                    #expect(fetched.status == .ok, "\(location)")
                    #expect(fetched.text == name)
                }
            }
        }
    }

    @Test("takes the path from before or behind the file or from the query, which wins", arguments: Transport.allCases)
    func pathAnywhere(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let file = ReadPart("file", "a.txt", "hello")
            let other = ReadPart("comment", nil, "not a path")
            let requests: [(String, [ReadPart], String)] = [
                ("", [ReadPart("path", nil, "one/"), file, other], "/one/a.txt"),
                ("", [other, file, ReadPart("path", nil, "two/")], "/two/a.txt"),
                ("?path=three/", [file], "/three/a.txt"),
                ("?path=four/", [file, ReadPart("path", nil, "not/")], "/four/a.txt"),
                (
                    "?path=five/", [ReadPart("any", "a.txt", "hello"), ReadPart("file", "b.txt", "second")],
                    "/five/a.txt"
                ),
                ("?path=six/", [ReadPart("file", "", ""), file], "/six/a.txt"),
            ]
            for (query, parts, path) in requests {
                let answer = try await client.sendForm(Self.upload + query, .ann, parts)
                #expect(answer.status == .created, "\(path)")
                let record = try answer.record()
                #expect(record.path == path)
                #expect(record.size == 5)
            }
            let count = try await client.paths().count
            #expect(count == 6)
        }
    }

    @Test("takes a raw body of any type for the file, when the query names it", arguments: Transport.allCases)
    func rawBodies(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let types: [(type: String?, stored: String)] = [
                (nil, "application/pdf"), ("application/json", "application/json"),
                ("application/x-www-form-urlencoded", "application/pdf"), ("image/png", "image/png"),
                ("TEXT/Html; Charset=utf-8", "text/html; charset=utf-8"), ("nonsense", "application/pdf"),
            ]
            for (number, (type, stored)) in types.enumerated() {
                let headers: HTTPFields = type.map { [.contentType: $0] } ?? [:]
                let body = #"{"path": "not read"}"#
                for (method, uri) in [
                    (HTTPRequest.Method.post, "\(Self.upload)?path=raw/\(number).pdf"),
                    (.put, "/api/files/put/\(number).pdf"),
                ] {
                    let answer = try await client.send(method, uri, HTTPFields.ann.merging(headers), body: body)
                    #expect(answer.status.kind == .successful)
                    let location = try #require(answer.headers[.location])
                    let fetched = try await client.send(.get, location, .ann)
                    #expect(fetched.text == body)
                    #expect(fetched.headers[.contentType] == stored, "\(method) \(type ?? "none")")
                }
            }
        }
    }

    @Test("without a file or a path is refused in words", arguments: Transport.allCases)
    func incomplete(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let noFile = [
                try await client.sendJSON(.post, Self.upload, .ann, #"{"path": "a.txt"}"#),
                try await client.sendForm(Self.upload, .ann, [ReadPart("path", nil, "a.txt")]),
                try await client.sendForm("\(Self.upload)?path=a.txt", .ann, [ReadPart("file", nil, "hello")]),
                try await client.sendForm("\(Self.upload)?path=a.txt", .ann, [ReadPart("file", "", "")]),
            ]
            for answer in noFile { _ = try answer.problem(.unprocessableContent) }
            let noPath = [
                try await client.sendForm(Self.upload, .ann, [ReadPart("file", "a.txt", "hello")]),
                try await client.send(.post, Self.upload, .ann, body: "hello"),
            ]
            for answer in noPath {
                let code = try answer.problem(.badRequest)
                #expect(code == "missing_path")
            }
            let malformed = try await client.sendJSON(.post, Self.upload, .ann, "{").problem(.badRequest)
            #expect(malformed == "invalid_json")
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }

    @Test("of a form that breaks off or is malformed leaves nothing", arguments: Transport.allCases)
    func brokenForms(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let type: HTTPFields = [.contentType: "multipart/form-data; boundary=b"]
            let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
            for body in [
                "", "--b", "--b\r\n", head, head + "hello", head + "hello\r\n--b", head + "hello\r\n--b\r\n",
                head + "hello\r\n--c--\r\n", "--b\r\n\r\nhello\r\n--b--\r\n",
                "--b\r\nContent-Disposition: form-data\r\n\r\nhello\r\n--b--\r\n",
                "--b\r\nContent-Disposition: attachment; name=\"file\"; filename=\"a\"\r\n\r\nhello\r\n--b--\r\n",
            ] {
                let answer = try await client.send(
                    .post, "\(Self.upload)?path=a.txt", HTTPFields.ann.merging(type), body: body)
                let code = try answer.problem(.badRequest)
                #expect(code == "invalid_multipart", "\(body)")
            }
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }

    @Test("of a part of a file, or of a coded one, is refused", arguments: Transport.allCases)
    func codedBodies(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let rows: [(HTTPFields, HTTPResponse.Status)] = [
                ([.contentEncoding: "gzip"], .unsupportedMediaType),
                ([.contentEncoding: "br, gzip"], .unsupportedMediaType), ([.contentRange: "bytes 0-4/10"], .badRequest),
            ]
            for (fields, status) in rows {
                for (method, uri) in [
                    (HTTPRequest.Method.post, "\(Self.upload)?path=a.txt"), (.put, "/api/files/a.txt"),
                ] {
                    let answer = try await client.send(method, uri, HTTPFields.ann.merging(fields), body: "hello")
                    _ = try answer.problem(status)
                }
                let form = try await client.sendForm(
                    "\(Self.upload)?path=a.txt", HTTPFields.ann.merging(fields), [ReadPart("file", "a.txt", "hello")])
                _ = try form.problem(status)
            }
            let identity = try await client.put(
                "hello", at: "b", HTTPFields.ann.merging([.contentEncoding: "Identity"]))
            #expect(identity.status == .noContent)
            let paths = try await client.paths()
            #expect(paths == ["b"])
        }
    }

    @Test("over the size limit is refused and leaves nothing, at the limit it is not", arguments: Transport.allCases)
    func sizeLimit(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.files.uploadSize = 1_000 }) { client in
            let fits = String(repeating: "x", count: 1_000)
            for (number, text) in [fits, fits + "x", String(repeating: "x", count: 50_000)].enumerated() {
                let answers = [
                    try await client.put(text, at: "put\(number)"),
                    try await client.send(.post, "\(Self.upload)?path=raw\(number)", .ann, body: text),
                    try await client.sendForm(
                        Self.upload, .ann, [ReadPart("file", "form\(number)", text), ReadPart("path", nil, "/")]),
                ]
                for answer in answers {
                    guard number > 0 else {
                        #expect(answer.status.kind == .successful)
                        continue
                    }
                    let code = try answer.problem(.contentTooLarge)
                    #expect(code == "too_large")
                }
            }
            let paths = try await client.paths()
            #expect(paths == ["form0", "put0", "raw0"])
        }
    }

    @Test("keeps to its conditions", arguments: Transport.allCases)
    func conditions(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let other = "\"\(RevisionID())\""
            let past = "Sun, 06 Nov 1994 08:49:37 GMT"
            let future = "Sun, 06 Nov 2094 08:49:37 GMT"
            // `now` stands for the current tag.
            let rows: [(fields: HTTPFields, onFile: Bool, onNothing: Bool)] = [
                ([:], true, true), ([.ifMatch: "*"], true, false), ([.ifMatch: "now"], true, false),
                ([.ifMatch: "\(other), now"], true, false), ([.ifMatch: other], false, false),
                ([.ifMatch: "W/now"], false, false), ([.ifNoneMatch: "*"], false, true),
                ([.ifNoneMatch: "now"], false, true), ([.ifNoneMatch: "W/now"], false, true),
                ([.ifNoneMatch: "\(other), W/now"], false, true), ([.ifNoneMatch: other], true, true),
                ([.ifMatch: "\"nonsense\""], false, false), ([.ifNoneMatch: "\"nonsense\""], true, true),
                ([.ifUnmodifiedSince: future], true, false), ([.ifUnmodifiedSince: past], false, false),
                ([.ifUnmodifiedSince: "nonsense"], true, true),
                ([.ifMatch: "now", .ifUnmodifiedSince: past], true, false),
            ]
            for (fields, onFile, onNothing) in rows {
                let tag = try await client.put("old", at: "a.txt").tag()
                let headers = HTTPFields.ann.merging(
                    HTTPFields(fields.map { HTTPField(name: $0.name, value: $0.value.replacing("now", with: tag)) }))
                let put = try await client.put("new", at: "a.txt", headers)
                #expect(put.status == (onFile ? .noContent : .preconditionFailed), "\(fields)")
                let text = try await client.send(.get, "/api/files/a.txt", .ann).text
                #expect(text == (onFile ? "new" : "old"), "\(fields)")

                let fresh = try await client.send(.post, "\(Self.upload)?path=b.txt", headers, body: "new")
                #expect(fresh.status == (onNothing ? .created : .preconditionFailed), "\(fields)")
                for path in ["a.txt", "b.txt"] { try await client.send(.delete, "/api/files/\(path)", .ann) }
            }
            for bad in ["now", "\"", "\"a\" \"b\"", "", "*, \"a\"", "W/*"] {
                for name in [HTTPField.Name.ifMatch, .ifNoneMatch] {
                    let answer = try await client.put("x", at: "c.txt", HTTPFields.ann.merging([name: bad]))
                    let code = try answer.problem(.badRequest)
                    #expect(code == "invalid_precondition", "\(name): \(bad)")
                }
            }
        }
    }

    @Test("gives a file the kind of its name, or else of its type", arguments: Transport.allCases)
    func kinds(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for (name, type, kind) in [
                ("a.png", nil, "image"), ("a.PNG", "text/plain", "image"), ("a.mp3", nil, "media"),
                ("a.txt", nil, "text"),
                ("a.zip", nil, "other"), ("a", "image/webp", "image"), ("b", "application/json", "text"),
                ("c", nil, "other"),
            ] as [(String, String?, String)] {
                let fields: HTTPFields = type.map { [.contentType: $0] } ?? [:]
                let headers = HTTPFields.ann.merging(fields)
                let record = try await client.send(.post, "\(Self.upload)?path=\(name)", headers, body: name).record()
                #expect(record.kind == kind, "\(name)")
            }
        }
    }

    @Test("where the tree does not allow it is refused", arguments: Transport.allCases)
    func pathConflicts(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("x", at: "file")
            try await client.put("x", at: "folder/file")
            for path in ["file/below", "file/far/below", "folder"] {
                let code = try await client.put("y", at: path).problem(.conflict)
                #expect(code == "path_conflict")
            }
            try await client.send(.delete, "/api/files/folder/file", .ann)
            let replaced = try await client.put("y", at: "folder")
            #expect(replaced.status == .noContent)
            let paths = try await client.paths()
            #expect(paths == ["file", "folder"])
        }
    }
}
