import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Every route")
struct FrameTests {
    private static let resources: [(path: String, methods: Set<String>)] = [
        ("/healthz", ["GET"]), ("/readyz", ["GET"]), ("/api/v1/files/ping", ["GET"]),
        ("/api/v1/user/register", ["POST"]), ("/api/v1/user/auth", ["POST"]), ("/api/v1/user/logout", ["POST"]),
        ("/api/v1/files", ["GET", "DELETE"]), ("/api/v1/files/upload", ["POST"]), ("/api/v1/files/download", ["GET"]),
        ("/api/v1/folders", ["POST"]), ("/api/v1/files/move", ["POST"]), ("/api/v1/files/copy", ["POST"]),
        ("/api/users", ["GET", "POST"]), ("/api/users/1", ["GET"]), ("/api/files", ["GET", "POST", "DELETE"]),
        ("/api/files/by-hash/x", ["GET", "PUT", "DELETE"]), ("/http/upload", ["POST"]), ("/stream/upload", ["POST"]),
        ("/http/load/x", ["GET"]), ("/stream/load/x", ["GET"]), ("/api/files/a/b.txt", ["GET", "PUT", "DELETE"]),
    ]

    private static func allow(_ methods: Set<String>) -> String {
        let head: Set<String> = methods.contains("GET") ? ["HEAD"] : []
        return methods.union(head).union(["OPTIONS"]).sorted().joined(separator: ", ")
    }

    @Test("is at its own path: anything else is a problem 404", arguments: Transport.allCases)
    func unknownPaths(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for path in [
                "/nothing", "/api", "/api/v1", "/api/v2/files", "/api/v1/files/upload/more", "/api/v1/file",
                "/API/files",
                "//api/files", "/api//files", "/api/v1/%66iles", "/healthz/x", "/api/v1/files/ping?x=1/", "/api/filesx",
            ] where !path.hasPrefix("/api/v1/files/ping") {
                for method in [HTTPRequest.Method.get, .post, .delete, .options] {
                    let code = try await client.send(method, path, .ann).problem(.notFound)
                    #expect(code == "no_route", "\(method) \(path)")
                }
            }
        }
    }

    @Test("knows its methods: others get 405 with Allow, OPTIONS tells them", arguments: Transport.allCases)
    func methods(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for (path, methods) in Self.resources {
                let options = try await client.send(.options, path)
                #expect(options.status == .noContent, "\(path)")
                #expect(options.headers[.allow] == Self.allow(methods), "\(path)")
                for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] where !methods.contains(method) {
                    let answer = try await client.send(HTTPRequest.Method(rawValue: method) ?? .trace, path, .ann)
                    let code = try answer.problem(.methodNotAllowed)
                    #expect(code == "method_not_allowed")
                    #expect(answer.headers[.allow] == Self.allow(methods), "\(method) \(path)")
                }
                guard !methods.contains("GET") else { continue }
                let head = try await client.send(.head, path, .ann)
                #expect(head.status == .methodNotAllowed, "\(path)")
                #expect(head.body.readableBytes == 0)
            }
        }
    }

    @Test("of a path that dialects share is the containers' alone with X-Auth-Token", arguments: Transport.allCases)
    func sharedPaths(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let token = HTTPFields.newToken()
            let resources: [(String, Set<String>)] = [
                ("/api/files", ["GET"]), ("/api/files?hash=x", ["GET"]),
                ("/api/files/by-hash/x", ["GET", "PUT", "DELETE"]),
            ]
            for (path, methods) in resources {
                let options = try await client.send(.options, path, token)
                #expect(options.headers[.allow] == Self.allow(methods), "\(path)")
                for method in [HTTPRequest.Method.post, .patch, .delete] where !methods.contains(method.rawValue) {
                    let answer = try await client.send(method, path, token, body: "x")
                    #expect(answer.status == .methodNotAllowed, "\(method) \(path)")
                    #expect(answer.headers[.allow] == Self.allow(methods), "\(method) \(path)")
                }
            }
        }
    }

    @Test("answers HEAD with the fields of GET and without content", arguments: Transport.allCases)
    func head(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "docs/a.txt")
            try await client.put("", at: "empty")
            let ann = try await client.fixture.principal("ann")
            for number in 0..<1_100 {
                _ = try await client.fixture.storage.makeFolder(try FilePath("many/\(number)"), as: ann)
            }
            for path in [
                "/healthz", "/readyz", "/api/v1/files", "/api/v1/files?limit=1", "/api/v1/files?folder=many",
                "/api/v1/files?folder=/", "/api/v1/files/download?path=docs/a.txt", "/api/v1/files/download?path=empty",
                "/api/v1/files/download?path=nothing", "/api/v1/files/download?path=docs", "/api/v1/files/download",
                "/api/files", "/api/files/docs/a.txt", "/api/files/empty", "/api/files/nothing", "/nothing",
            ] {
                let get = try await client.send(.get, path, .ann)
                let head = try await client.send(.head, path, .ann)
                #expect(head.status == get.status, "\(path)")
                #expect(head.body.readableBytes == 0, "\(path)")
                #expect(Self.comparable(head.headers) == Self.comparable(get.headers), "\(path)")
                if path.hasSuffix("a.txt") { #expect(head.headers[.contentLength] == "5") }
                if path.hasSuffix("empty") { #expect(head.headers[.contentLength] == "0") }
            }
        }
    }

    /// The fields that do not change from request to request and do not belong to the framing of a streamed body.
    private static func comparable(_ headers: HTTPFields) -> Set<String> {
        let left: Set<HTTPField.Name> = [.date, .xRequestID, .transferEncoding]
        return Set(headers.filter { !left.contains($0.name) }.map { "\($0.name): \($0.value)" })
    }

    @Test("takes the client's request id when it is sane, and makes one when not", arguments: Transport.allCases)
    func requestID(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let id = try #require(HTTPField.Name("X-Request-ID"))
            for sane in ["a", "A-1_2.3", String(repeating: "x", count: 128)] {
                let answer = try await client.send(.get, "/healthz", [id: sane])
                #expect(answer.headers[id] == sane)
            }
            var made: Set<String> = []
            let others = ["", "a b", "a;b", "a/b", "\u{e9}", String(repeating: "x", count: 129), "<script>"]
            for other in others {
                let answer = try await client.send(.get, "/nothing", [id: other])
                let new = try #require(answer.headers[id])
                #expect(Identifier<RouteFixture>(text: new.utf8) != nil, "\(other)")
                made.insert(new)
            }
            #expect(made.count == others.count)
        }
    }

    @Test("does not mind a slash at the end of its path, and is redirected nowhere", arguments: Transport.allCases)
    func trailingSlash(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a.txt")
            for (path, _) in Self.resources.dropLast() {
                let with = try await client.send(.options, path + "/")
                let without = try await client.send(.options, path)
                #expect(with.headers[.allow] == without.headers[.allow], "\(path)")
            }
            for path in ["/api/v1/files/", "/api/files/", "/api/v1/files/download/?path=a.txt", "/healthz/"] {
                let answer = try await client.send(.get, path, .ann)
                #expect(answer.status == .ok, "\(path)")
            }
            let made = try await client.sendJSON(.post, "/api/v1/folders/", .ann, #"{"path": "x"}"#)
            #expect(made.status == .created)
        }
    }

    @Test("refuses changes that a page of another origin asks for", arguments: Transport.allCases)
    func foreignOrigin(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a.txt")
            let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
            let foreign: [HTTPFields] = [
                [.origin: "http://evil.example"], [.origin: "null"], [.origin: "https://localhost.evil.example"],
                [.origin: "http://localhost:1"], [.origin: ""], [site: "cross-site"],
                [.origin: "http://localhost", site: "cross-site"],
            ]
            for headers in foreign {
                let all = headers.merging(.ann)
                let changes = [
                    try await client.send(.put, "/api/files/b.txt", all, body: "x"),
                    try await client.send(.delete, "/api/files/a.txt", all),
                    try await client.send(.post, "/api/v1/user/register", all, body: "{}"),
                    try await client.send(.post, "/api/v1/files/upload?path=b.txt", all, body: "x"),
                ]
                for answer in changes {
                    let code = try answer.problem(.forbidden)
                    #expect(code == "foreign_origin")
                }
                for method in [HTTPRequest.Method.get, .head] {
                    let answer = try await client.send(method, "/api/files/a.txt", all)
                    #expect(answer.status == .ok)
                }
            }
            for own in [[.origin: "http://localhost"], [.origin: "https://localhost"], [site: "same-origin"]]
                as [HTTPFields]
            {
                let answer = try await client.send(.put, "/api/files/own.txt", own.merging(.ann), body: "x")
                #expect(answer.status == .noContent)
            }
            let paths = try await client.paths()
            #expect(paths == ["a.txt", "own.txt"])
        }
    }

    @Test("does not mind a traceparent that is none", arguments: Transport.allCases)
    func traceparent(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let trace = try #require(HTTPField.Name("traceparent"))
            for value in [
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "", "-", "00",
                String(repeating: "-", count: 55),
                String(repeating: "0", count: 55), "00-00000000000000000000000000000000-0000000000000000-00",
                "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01x", String(repeating: "a", count: 4_000),
            ] {
                let answer = try await client.send(.get, "/healthz", [trace: value])
                #expect(answer.status == .ok, "\(value)")
            }
        }
    }

    @Test("refuses a target or query that is not well formed", arguments: Transport.allCases)
    func malformedTargets(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for target in [
                "/api/files/%", "/api/files/%4", "/api/files/%zz", "/api/files/a%2", "/api/v1/files?prefix=%",
                "/api/v1/files?prefix=a&prefix=b", "/api/v1/files/download?path=%F", "/api/v1/files?folder=a&prefix=b",
            ] {
                let answer = try await client.send(.get, target, .ann)
                #expect(answer.status == .badRequest, "\(target)")
                _ = try answer.problem(.badRequest)
            }
        }
    }

    @Test("forbids browsers to guess types", arguments: Transport.allCases)
    func noSniffing(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a.txt")
            for path in ["/healthz", "/nothing", "/api/files", "/api/files/a.txt", "/api/v1/files"] {
                for method in [HTTPRequest.Method.get, .head, .options, .post] {
                    let answer = try await client.send(method, path, .ann)
                    #expect(answer.headers[.xContentTypeOptions] == "nosniff", "\(method) \(path)")
                }
            }
        }
    }

    @Test("says whether the server is alive and ready", arguments: Transport.allCases)
    func readiness(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let ready = try await client.send(.get, "/readyz")
            #expect(ready.status == .ok)
            client.fixture.readiness.stop()
            let stopping = try await client.send(.get, "/readyz")
            #expect(stopping.status == .serviceUnavailable)
            #expect(stopping.headers[.retryAfter] != nil)
            let alive = try await client.send(.get, "/healthz")
            #expect(alive.status == .ok)
        }
    }

    @Test(
        "ping tells how long each service takes, and nothing of those that are not there", arguments: Transport.allCases
    )
    func ping(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let answer = try await client.send(.get, "/api/v1/files/ping")
            #expect(answer.status == .ok)
            let times = try answer.decoded([String: Double].self)
            #expect(Set(times.keys) == ["db", "storage"])
            #expect(times.values.allSatisfy { $0 >= 0 && $0 < 10_000 })
        }
    }
}
