import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Containers")
struct ContainerRouteTests {
    @Test("of a new token read as empty, and no reading makes one", arguments: Transport.allCases)
    func newToken(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let token = HTTPFields.newToken()
            let list = try await client.send(.get, "/api/files", token)
            #expect(list.status == .ok)
            #expect(list.text == "[]")
            #expect(list.headers[.contentType] == "application/json")
            for (method, uri) in [
                (HTTPRequest.Method.get, "/api/files/a"), (.delete, "/api/files/a"),
                (.get, "/api/v1/files/download?path=a"), (.delete, "/api/v1/files?path=a"),
            ] {
                let answer = try await client.send(method, uri, token)
                _ = try answer.problem(.notFound)
            }
            let records = try await client.send(.get, "/api/v1/files", token).decoded(ListDocument.self)
            #expect(records.account == nil)
            #expect(records.accountId == nil)
            #expect(records.files.isEmpty)
            var accounts = try await client.fixture.metadata.accounts(after: 0, limit: 10)
            #expect(accounts.count == 2)

            try await client.put("x", at: "a", token)
            accounts = try await client.fixture.metadata.accounts(after: 0, limit: 10)
            #expect(accounts.count == 3)
            let known = try await client.send(.get, "/api/v1/files", token).decoded(ListDocument.self)
            #expect(known.account == nil)
            #expect(known.accountId == accounts.last?.id.description)
        }
    }

    @Test("store, overwrite, hand back and delete files", arguments: Transport.allCases, [HTTPFields.ann, .newToken()])
    func lifecycle(transport: Transport, headers: HTTPFields) async throws {
        try await RouteFixture.with(transport) { client in
            let created = try await client.put("hello", at: "docs/a.txt", headers)
            #expect(created.status == .noContent)
            #expect(created.body.readableBytes == 0)
            #expect(created.headers[.location] == "/api/files/docs/a.txt")
            #expect(created.headers[.reprDigest] != nil)
            let same = try await client.put("hello", at: "docs/a.txt", headers)
            #expect(same.status == .noContent)
            #expect(same.headers[.eTag] == created.headers[.eTag])
            #expect(same.headers[.location] == nil)
            let overwritten = try await client.put("bye", at: "docs/a.txt", headers)
            #expect(overwritten.status == .noContent)
            #expect(overwritten.headers[.eTag] != created.headers[.eTag])

            let fetched = try await client.send(.get, "/api/files/docs/a.txt", headers)
            #expect(fetched.status == .ok)
            #expect(fetched.text == "bye")
            #expect(fetched.headers[.contentType] == "text/plain")
            let names = try await client.paths(headers)
            #expect(names == ["docs/a.txt"])
            let deleted = try await client.send(.delete, "/api/files/docs/a.txt", headers)
            #expect(deleted.status == .noContent)
            for method in [HTTPRequest.Method.get, .delete] {
                let gone = try await client.send(method, "/api/files/docs/a.txt", headers)
                _ = try gone.problem(.notFound)
            }
            let left = try await client.paths(headers)
            #expect(left.isEmpty)
        }
    }

    @Test("take any name, byte for byte", arguments: Transport.allCases)
    func names(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let token = HTTPFields.newToken()
            let names = [
                "a", "a b", "a+b", "a%b", "a%2Fb", "a&b=c", "a;b", "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}.txt",
                "\u{e9}",
                "e\u{301}", "\u{1f4c4}", "...", ".hidden", "-", "~", "by-hash/x", "a/b/c",
                String(repeating: "x", count: 255),
                "public", "con", "a\\b", "\"", "'", "<b>", "%", "#", "?", "\u{feff}", "\u{202e}txt",
            ].filter { !$0.hasPrefix("a/") }
            for name in names {
                let answer = try await client.put(name, at: name, token)
                #expect(answer.status == .noContent, "\(name)")
            }
            for name in names {
                let answer = try await client.send(.get, "/api/files/\(query(name))", token)
                #expect(Array(answer.text.utf8) == Array(name.utf8), "\(name)")
            }
            let list = try await client.paths(token).map { Array($0.utf8) }
            #expect(list == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
        }
    }

    @Test("take an escaped slash for a slash, and a plus for a plus", arguments: Transport.allCases)
    func escapes(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.send(.put, "/api/files/a%2Fb.txt", .ann, body: "x")
            let nested = try await client.send(.get, "/api/files/a/b.txt", .ann)
            #expect(nested.text == "x")
            try await client.send(.put, "/api/files/c+d%20e", .ann, body: "y")
            let paths = try await client.paths()
            #expect(paths == ["a/b.txt", "c+d e"])
        }
    }

    @Test("refuse names that no file can have", arguments: Transport.allCases)
    func badNames(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let bad = [
                "a/", "a//b", "a/../b", "..%2Fa", "%2e%2e", ".", "a/.", "%00", "a%0Ab", "a%7F", "%C2%85", "%FF", "%C3",
                "%ED%A0%80", "a%2F%2Fb", "a%2F", "%2F%2Fa", "%2Fa", "/a", String(repeating: "x", count: 256),
                String(repeating: "x/", count: 600) + "x",
            ]
            for name in bad {
                for method in [HTTPRequest.Method.get, .put, .delete] {
                    let body = method == .put ? "x" : nil
                    let code = try await client.send(method, "/api/files/\(name)", .ann, body: body).problem(
                        .badRequest)
                    #expect(code == "invalid_path", "\(method) \(name)")
                }
            }
            let paths = try await client.paths()
            #expect(paths.isEmpty)
        }
    }

    @Test("of two tokens have nothing in common", arguments: Transport.allCases)
    func apart(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let (one, other) = (HTTPFields.newToken(), HTTPFields.newToken())
            try await client.put("one", at: "a", one)
            try await client.put("one", at: "a", other)
            try await client.put("other", at: "a", other)
            try await client.send(.delete, "/api/files/a", one)
            let text = try await client.send(.get, "/api/files/a", other).text
            #expect(text == "other")
            let names = try await client.paths(one)
            #expect(names.isEmpty)
        }
    }

    @Test("do not take a form for anything but bytes", arguments: Transport.allCases)
    func rawForms(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let body = String(decoding: MultipartBody.write([ReadPart("file", "x", "y")], boundary: "b"), as: UTF8.self)
            for type in ["multipart/form-data; boundary=b", "application/json", "application/x-www-form-urlencoded"] {
                let headers = HTTPFields.ann.merging([.contentType: type])
                try await client.send(.put, "/api/files/form", headers, body: body)
                let text = try await client.send(.get, "/api/files/form", .ann).text
                #expect(text == body)
            }
        }
    }
}
