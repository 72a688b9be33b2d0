import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Files by path and id")
struct FileRouteTests {
    private static let download = "/api/v1/files/download"

    private func record(_ path: String, _ client: RouteClient) async throws -> RecordDocument {
        let list = try await client.send(.get, "/api/v1/files", .ann).decoded(ListDocument.self)
        return try #require(list.files.first { $0.path == "/" + path })
    }

    @Test("are downloaded by path, with or without its slash, and by id", arguments: Transport.allCases)
    func references(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "docs/a b.txt")
            let id = try await record("docs/a b.txt", client).id
            for reference in ["docs/a b.txt", "/docs/a b.txt", id, id.uppercased()] {
                let answer = try await client.send(.get, "\(Self.download)?path=\(query(reference))", .ann)
                #expect(answer.text == "hello", "\(reference)")
            }
            let plus = try await client.send(.get, "\(Self.download)?path=docs/a+b.txt", .ann)
            #expect(plus.text == "hello")
            for reference in ["a b.txt", "docs", "docs/a%20b.txt", "/\(id)", FileID().description] {
                let answer = try await client.send(.get, "\(Self.download)?path=\(query(reference))", .ann)
                #expect(answer.status == (reference == "docs" ? .badRequest : .notFound), "\(reference)")
            }
        }
    }

    @Test("named by a UUID are found by id first and by path second", arguments: Transport.allCases)
    func uuidNames(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("by id", at: "a")
            let id = try await record("a", client).id
            let other = FileID().description
            try await client.put("by path", at: other)
            try await client.put("hidden", at: id)
            let expected = [(id, "by id"), ("/" + id, "hidden"), (other, "by path"), ("/" + other, "by path")]
            for (reference, text) in expected {
                let answer = try await client.send(.get, "\(Self.download)?path=\(query(reference))", .ann)
                #expect(answer.text == text)
            }
        }
    }

    @Test("that are named badly, or not at all, are a bad request", arguments: Transport.allCases)
    func badReferences(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a")
            for method in [HTTPRequest.Method.get, .delete] {
                let uri = method == .get ? Self.download : "/api/v1/files"
                let missing = try await client.send(method, uri, .ann).problem(.badRequest)
                #expect(missing == "missing_path")
                for path in ["", "/", "//a", "a/", "a//b", "..", "a/../a", "a%00", "%ff", "a%0Ab"] {
                    let code = try await client.send(method, "\(uri)?path=\(path)", .ann).problem(.badRequest)
                    #expect(code == "invalid_path", "\(path)")
                }
            }
            let archive = try await client.send(.get, "\(Self.download)?path=a&compression=rar", .ann)
            _ = try archive.problem(.badRequest)
        }
    }

    @Test("are deleted by path and id, and folders with all below when that is said", arguments: Transport.allCases)
    func deletion(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for path in ["a", "b", "folder/c", "folder/d/e", "folder2/f"] { try await client.put(path, at: path) }
            let id = try await record("b", client).id
            for reference in ["/a", id] {
                let answer = try await client.send(.delete, "/api/v1/files?path=\(reference)", .ann)
                #expect(answer.status == .noContent)
                let again = try await client.send(.delete, "/api/v1/files?path=\(reference)", .ann)
                _ = try again.problem(.notFound)
            }
            for suffix in ["", "&recursive=false", "&recursive=", "&recursive=1"] {
                let answer = try await client.send(.delete, "/api/v1/files?path=folder\(suffix)", .ann)
                let code = try answer.problem(.conflict)
                #expect(code == "folder_not_empty")
            }
            let recursive = try await client.send(.delete, "/api/v1/files?path=folder&recursive=true", .ann)
            #expect(recursive.status == .noContent)
            let paths = try await client.paths()
            #expect(paths == ["folder2/f"])
        }
    }

    @Test("are deleted only under their conditions", arguments: Transport.allCases)
    func conditionalDeletion(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let old = try await client.put("old", at: "a").tag()
            let new = try await client.put("new", at: "a").tag()
            for uri in ["/api/v1/files?path=a", "/api/files/a"] {
                for fields in [[.ifMatch: old], [.ifNoneMatch: "*"], [.ifNoneMatch: new]] as [HTTPFields] {
                    let answer = try await client.send(.delete, uri, HTTPFields.ann.merging(fields))
                    _ = try answer.problem(.preconditionFailed)
                }
            }
            let answer = try await client.send(.delete, "/api/files/a", HTTPFields.ann.merging([.ifMatch: new]))
            #expect(answer.status == .noContent)
        }
    }

    @Test("lie in folders that are made with those above them", arguments: Transport.allCases)
    func folders(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("x", at: "file")
            func make(_ path: String) async throws -> TestResponse {
                try await client.sendJSON(.post, "/api/v1/folders", .ann, #"{"path": "\#(path)"}"#)
            }
            let made = try await make("/a/b/c")
            #expect(made.status == .created)
            let record = try made.record()
            #expect(record.path == "/a/b/c")
            #expect(record.type == "folder")
            #expect(record.size == 0)
            #expect(record.hash == nil)
            #expect(record.mediaType == nil)
            #expect(!record.isDownloadable)
            for path in ["a", "a/b", "a/b/c", "a/b/c/"] {
                let answer = try await make(path)
                #expect(answer.status == .ok, "\(path)")
            }
            for path in ["file", "file/x"] {
                let code = try await make(path).problem(.conflict)
                #expect(code == "path_conflict")
            }
            for path in ["", "/", "a//b", "..", "a/./b", "a\\u0000"] {
                let code = try await make(path).problem(.badRequest)
                #expect(code == "invalid_path", "\(path)")
            }
            let missing = try await client.sendJSON(.post, "/api/v1/folders", .ann, "{}")
            _ = try missing.problem(.unprocessableContent)
        }
    }

    private func relocate(
        _ how: String, _ source: String, _ target: String, _ more: String = "", _ headers: HTTPFields = .ann,
        _ client: RouteClient
    ) async throws -> TestResponse {
        try await client.sendJSON(
            .post, "/api/v1/files/\(how)", headers, #"{"from": "\#(source)", "to": "\#(target)"\#(more)}"#)
    }

    @Test("are moved and copied by path and id", arguments: Transport.allCases, ["move", "copy"])
    func relocation(transport: Transport, how: String) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a.txt")
            let id = try await record("a.txt", client).id
            let first = try await relocate(how, "/a.txt", "new/b.png", "", .ann, client)
            #expect(first.status == .ok)
            let record = try first.record()
            #expect(record.path == "/new/b.png")
            #expect(record.kind == "image")
            #expect((record.id == id) == (how == "move"))
            #expect(first.headers[.eTag] != nil)
            let second = try await relocate(how, record.id, "/c", "", .ann, client)
            #expect(second.status == .ok)
            let paths = try await client.paths()
            #expect(paths == (how == "move" ? ["c"] : ["a.txt", "c", "new/b.png"]))
            let text = try await client.send(.get, "/api/files/c", .ann).text
            #expect(text == "hello")
        }
    }

    @Test("are moved and copied onto a file only when that is said", arguments: Transport.allCases, ["move", "copy"])
    func overwriting(transport: Transport, how: String) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("one", at: "a")
            try await client.put("two", at: "b")
            for more in ["", #", "overwrite": false"#, #", "overwrite": null"#] {
                let code = try await relocate(how, "a", "b", more, .ann, client).problem(.conflict)
                #expect(code == "exists")
            }
            for more in [#", "overwrite": "true""#, #", "overwrite": 1"#] {
                let answer = try await relocate(how, "a", "b", more, .ann, client)
                _ = try answer.problem(.unprocessableContent)
            }
            let answer = try await relocate(how, "a", "b", #", "overwrite": true"#, .ann, client)
            #expect(answer.status == .ok)
            let text = try await client.send(.get, "/api/files/b", .ann).text
            #expect(text == "one")
        }
    }

    @Test(
        "are moved and copied with all below, but never into themselves", arguments: Transport.allCases,
        ["move", "copy"])
    func trees(transport: Transport, how: String) async throws {
        try await RouteFixture.with(transport) { client in
            for path in ["a/b/one", "a/two", "ab/three"] { try await client.put(path, at: path) }
            for target in ["a/b/c", "a/x"] {
                let code = try await relocate(how, "a", target, #", "overwrite": true"#, .ann, client).problem(
                    .conflict)
                #expect(code == "path_conflict")
            }
            let answer = try await relocate(how, "a", "z", "", .ann, client)
            #expect(answer.status == .ok)
            let paths = try await client.paths()
            let moved = ["ab/three", "z/b/one", "z/two"]
            #expect(paths == (how == "move" ? moved : ["a/b/one", "a/two"] + moved))
        }
    }

    @Test("are not moved or copied by a request that lacks something", arguments: Transport.allCases, ["move", "copy"])
    func badRelocations(transport: Transport, how: String) async throws {
        try await RouteFixture.with(transport) { client in
            let tag = try await client.put("x", at: "a").tag()
            let uri = "/api/v1/files/\(how)"
            for body in [#"{"from": "a"}"#, #"{"to": "b"}"#, #"{"from": 1, "to": "b"}"#, #"{"from": "a", "to": {}}"#] {
                let answer = try await client.sendJSON(.post, uri, .ann, body)
                #expect(answer.status == .unprocessableContent, "\(body)")
            }
            for (source, target) in [("a", "b/"), ("a", "../b"), ("a", ""), ("", "b"), ("a//b", "c"), ("a", "/")] {
                let code = try await relocate(how, source, target, "", .ann, client).problem(.badRequest)
                #expect(code == "invalid_path", "\(source) \(target)")
            }
            for source in ["nothing", FileID().description] {
                let answer = try await relocate(how, source, "b", "", .ann, client)
                _ = try answer.problem(.notFound)
            }
            let changed = HTTPFields.ann.merging([.ifMatch: "\"\(RevisionID())\""])
            let failed = try await relocate(how, "a", "b", "", changed, client)
            _ = try failed.problem(.preconditionFailed)
            let unchanged = HTTPFields.ann.merging([.ifMatch: tag])
            let done = try await relocate(how, "a", "b", "", unchanged, client)
            #expect(done.status == .ok)
        }
    }
}
