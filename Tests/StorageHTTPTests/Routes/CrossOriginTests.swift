import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Pages of other origins")
struct CrossOriginTests {
    private static let app = "https://app.example"
    private static let credentials = HTTPField.Name("Access-Control-Allow-Credentials") ?? .trailer

    @Test(
        "are named by their origins",
        arguments: [
            (
                "https://app.example", ["https://app.example"],
                ["http://app.example", "https://app.example:8443", "null", ""]
            ),
            (
                "https://App.Example:443 , http://localhost:5173", ["https://app.example", "http://localhost:5173"],
                ["http://localhost"]
            ),
            ("http://127.0.0.1:80", ["http://127.0.0.1"], ["http://127.0.0.1:80"]),
            ("http://[::1]:3000", ["http://[::1]:3000"], ["http://[::1]"]),
            ("*", ["https://app.example", "null"], []), (" * ", ["https://app.example"], []),
        ])
    func origins(text: String, allowed: [String], refused: [String]) throws {
        let policy = try #require(CrossOriginPolicy(text))
        for origin in allowed { #expect(policy.allows(origin, [:]), "\(origin)") }
        for origin in refused { #expect(!policy.allows(origin, [:]), "\(origin)") }
    }

    @Test(
        "that cannot be origins are refused",
        arguments: [
            "", ",", "app.example", "https://", "https://app.example/", "https://app.example/path",
            "https://user@app.example",
            "ftp://app.example", "https://*.example", "*, https://app.example", "https://app.example,",
            "https://app.example:",
            "https://app.example:x", "https://app.example:123456", "https://a b", "https://[::1", "https://[a]:1",
            "null",
            "https://a[b", "https://app.example\r\nx: y",
        ])
    func refusedOrigins(text: String) {
        #expect(CrossOriginPolicy(text) == nil)
    }

    private func with(
        _ origins: String, _ transport: Transport, _ body: @Sendable (RouteClient) async throws -> Void
    ) async throws {
        let policy = try #require(CrossOriginPolicy(origins))
        try await RouteFixture.with(transport, { $0.crossOrigin = policy }, body)
    }

    @Test("may use every route where they are allowed, with credentials of their own", arguments: Transport.allCases)
    func allowed(_ transport: Transport) async throws {
        try await with(Self.app, transport) { client in
            let page: HTTPFields = [.origin: Self.app, .secFetchSite: "cross-site", .secFetchMode: "cors"]
            let put = try await client.put("hello", at: "a.txt", .ann.merging(page))
            #expect(put.status == .noContent)
            for (method, uri) in [
                (HTTPRequest.Method.get, "/api/files/a.txt"), (.head, "/api/files/a.txt"), (.get, "/api/v1/files"),
                (.get, "/nothing"), (.post, "/api/files/a.txt"), (.get, "/healthz"), (.get, "/api/files/%"),
            ] {
                let answer = try await client.send(method, uri, .ann.merging(page))
                #expect(answer.headers[.accessControlAllowOrigin] == Self.app, "\(uri)")
                #expect(answer.headers[.vary]?.hasSuffix("Origin") == true, "\(uri)")
                let exposed = answer.headers[.accessControlExposeHeaders] ?? ""
                for name in ["ETag", "Repr-Digest", "Location", "Link", "Content-Range", "X-Request-ID"] {
                    #expect(exposed.contains(name))
                }
                #expect(answer.headers[Self.credentials] == nil)
            }
            let file = try await client.send(.get, "/api/files/a.txt", .ann.merging(page))
            #expect(file.headers[.vary] == "Authorization, X-Auth-Token, Origin")
            let unsigned = try await client.send(.get, "/api/files", page)
            #expect(unsigned.status == .unauthorized)
            #expect(unsigned.headers[.accessControlAllowOrigin] == Self.app)
        }
    }

    @Test("are told before what they may send", arguments: Transport.allCases)
    func preflight(_ transport: Transport) async throws {
        try await with("\(Self.app), http://localhost:5173", transport) { client in
            for (uri, methods) in [
                ("/api/files/a/b.txt", "DELETE, GET, HEAD, OPTIONS, PUT"), ("/api/v1/files/upload", "OPTIONS, POST"),
            ] {
                let asked: HTTPFields = [
                    .origin: Self.app, .accessControlRequestMethod: "PUT",
                    .accessControlRequestHeaders: "authorization,x-auth-token,if-match",
                ]
                let answer = try await client.send(.options, uri, asked)
                #expect(answer.status == .noContent)
                #expect(answer.headers[.allow] == methods)
                #expect(answer.headers[.accessControlAllowOrigin] == Self.app)
                #expect(answer.headers[.accessControlAllowMethods] == methods)
                #expect(answer.headers[.accessControlMaxAge] != nil)
                #expect(answer.headers[Self.credentials] == nil)
                let allowed = (answer.headers[.accessControlAllowHeaders] ?? "").lowercased()
                for name in [
                    "authorization", "x-auth-token", "content-type", "if-match", "if-none-match", "range",
                    "repr-digest",
                    "content-digest", "want-repr-digest",
                ] {
                    #expect(allowed.contains(name), "\(name)")
                }
                let plain = try await client.send(.options, uri, [.origin: Self.app])
                #expect(plain.headers[.accessControlAllowMethods] == nil)
                #expect(plain.status == .noContent)
            }
            let nowhere = try await client.send(
                .options, "/nothing", [.origin: Self.app, .accessControlRequestMethod: "GET"])
            #expect(nowhere.status == .notFound)
        }
    }

    @Test("stay refused where they are not allowed", arguments: Transport.allCases)
    func refused(_ transport: Transport) async throws {
        try await with(Self.app, transport) { client in
            for origin in ["https://evil.example", "null", "http://app.example", "https://app.example.evil"] {
                let put = try await client.put("x", at: "a", .ann.merging([.origin: origin]))
                let code = try put.problem(.forbidden)
                #expect(code == "foreign_origin")
                #expect(put.headers[.accessControlAllowOrigin] == nil)
                #expect(put.headers[.vary] == "Origin")
                let preflight = try await client.send(
                    .options, "/api/files/a", [.origin: origin, .accessControlRequestMethod: "PUT"])
                #expect(preflight.headers[.accessControlAllowOrigin] == nil)
                #expect(preflight.headers[.accessControlAllowMethods] == nil)
            }
            let site = try await client.put("x", at: "a", .ann.merging([.secFetchSite: "cross-site"]))
            #expect(site.status == .forbidden)
            let own = try await client.put("x", at: "a", .ann)
            #expect(own.status == .noContent)
            #expect(own.headers[.vary] == "Origin")
            #expect(own.headers[.accessControlAllowOrigin] == nil)
        }
    }

    private static let token = HTTPFields.token("6f0c3f0e-5d1b-4c59-8f3b-2c7a4b0d9e11")

    @Test("may be any, but no form that brings what the browser remembers", arguments: Transport.allCases)
    func any(_ transport: Transport) async throws {
        try await with("*", transport) { client in
            for (origin, mode, isAllowed) in [
                ("https://evil.example", "cors", true), ("https://evil.example", nil, true), ("null", "cors", true),
                ("https://evil.example", "navigate", false), ("https://evil.example", "no-cors", false),
            ] {
                var page: HTTPFields = [.origin: origin, .secFetchSite: "cross-site"]
                page[.secFetchMode] = mode
                let put = try await client.put("x", at: "a", Self.token.merging(page))
                #expect(put.status == (isAllowed ? .noContent : .forbidden))
                let remembered = try await client.put("x", at: "a", .ann.merging(page))
                #expect(remembered.status == .forbidden)
                #expect(put.headers[.accessControlAllowOrigin] == "*")
                #expect(put.headers[.vary] == nil)
                #expect(put.headers[Self.credentials] == nil)
            }
            // What a cache keeps for somebody without a page, it gives to pages too.
            let list = try await client.send(.get, "/healthz")
            #expect(list.headers[.accessControlAllowOrigin] == "*")
        }
    }

    @Test("get no fields at all where nothing is configured", arguments: Transport.allCases)
    func none(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let list = try await client.send(.get, "/healthz", [.origin: Self.app])
            #expect(list.headers[.vary] == nil)
            #expect(list.headers[.accessControlAllowOrigin] == nil)
            let preflight = try await client.send(
                .options, "/api/files/a", [.origin: Self.app, .accessControlRequestMethod: "PUT"])
            #expect(preflight.status == .noContent)
            #expect(preflight.headers[.accessControlAllowMethods] == nil)
        }
    }
}
