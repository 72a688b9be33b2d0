import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Credentials")
struct CredentialTests {
    private struct Request {
        let method: HTTPRequest.Method
        let uri: String
        var json: String?
    }

    /// Every route that needs a principal, with a request that names `file` where it names one.
    private static func requests(_ file: String) -> [Request] {
        [
            Request(method: .get, uri: "/api/v1/files"),
            Request(method: .head, uri: "/api/v1/files"),
            Request(method: .post, uri: "/api/v1/files/upload?path=new.txt", json: "{}"),
            Request(method: .get, uri: "/api/v1/files/download?path=\(query(file))"),
            Request(method: .delete, uri: "/api/v1/files?path=\(query(file))"),
            Request(method: .post, uri: "/api/v1/folders", json: #"{"path": "new"}"#),
            Request(method: .post, uri: "/api/v1/files/move", json: #"{"from": "\#(file)", "to": "moved"}"#),
            Request(method: .post, uri: "/api/v1/files/copy", json: #"{"from": "\#(file)", "to": "copied"}"#),
            Request(method: .get, uri: "/api/files"),
            Request(method: .get, uri: "/api/files/\(file)"),
            Request(method: .put, uri: "/api/files/new.txt", json: "{}"),
            Request(method: .delete, uri: "/api/files/\(file)"),
        ]
    }

    private func send(_ request: Request, _ headers: HTTPFields, _ client: RouteClient) async throws -> TestResponse {
        guard let json = request.json else { return try await client.send(request.method, request.uri, headers) }
        return try await client.sendJSON(request.method, request.uri, headers, json)
    }

    @Test("are asked for in both ways that HTTP has", arguments: Transport.allCases)
    func missing(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a.txt")
            let logout = Request(method: .post, uri: "/api/v1/user/logout")
            for request in Self.requests("a.txt") + [logout] {
                let answer = try await send(request, [:], client)
                #expect(answer.status == .unauthorized, "\(request)")
                let challenges = answer.headers[values: .wwwAuthenticate]
                #expect(challenges == [#"Basic realm="storaged", charset="UTF-8""#, #"Bearer realm="storaged""#])
                guard request.method != .head else { continue }
                let code = try answer.problem(.unauthorized)
                #expect(code == "unauthenticated", "\(request)")
            }
            let paths = try await client.paths()
            #expect(paths == ["a.txt"])
        }
    }

    private static let wrong: [HTTPFields] = [
        .basic("ann", "wrong horse"), .basic("ann", ""), .basic("Ann", RouteFixture.password),
        .basic("nobody", RouteFixture.password), .basic("", ""), .basic("public", ""),
        .bearer("x"), .bearer(String(repeating: "A", count: 43)), .bearer(""), .bearer("a b"),
        [.authorization: ""], [.authorization: "Basic"], [.authorization: "Basic !!!"], [.authorization: "Basic YW5u"],
        [.authorization: "Digest username=\"ann\""], [.authorization: "ann:\(RouteFixture.password)"],
        .token(""), .token("x"), .token("00000000-0000-0000-0000-000000000000"),
        .token("ffffffff-ffff-ffff-ffff-ffffffffffff"), .token("{2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e}"),
        .token("2d3b1c5e6f7a4b8c9d0e1f2a3b4c5d6e"), .token("urn:uuid:2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e"),
        .token("2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6g"),
    ]

    @Test("that are wrong or malformed are refused alike", arguments: Transport.allCases)
    func wrong(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for headers in Self.wrong {
                for uri in ["/api/v1/files", "/api/files"] {
                    let answer = try await client.send(.get, uri, headers)
                    _ = try answer.problem(.unauthorized)
                    #expect(answer.headers[values: .wwwAuthenticate].count == 2)
                }
            }
        }
    }

    @Test(
        "of an unknown login, a disabled account and a wrong password get the same text", arguments: Transport.allCases)
    func sameText(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let off = try await client.fixture.register("off")
            _ = try await client.fixture.metadata.change(.setDisabled(off.id, true))
            var texts: Set<String> = []
            for headers in [
                HTTPFields.basic("nobody", RouteFixture.password), .basic("ann", "wrong horse"),
                .basic("off", RouteFixture.password), .bearer(String(repeating: "A", count: 43)), [:],
            ] {
                let answer = try await client.send(.get, "/api/v1/files", headers)
                #expect(answer.status == .unauthorized)
                let id = try #require(answer.headers[.xRequestID])
                texts.insert(answer.text.replacing(id, with: ""))
            }
            #expect(texts.count == 1)
        }
    }

    @Test("of two kinds, or repeated, are a bad request", arguments: Transport.allCases)
    func ambiguous(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let token = HTTPFields.newToken()
            for headers in [
                HTTPFields.ann.merging(token), .ann.merging(.ann), .ann.merging(.bearer("x")), token.merging(token),
                .ann.merging(.bob), .token("x").merging(.basic("nobody", "")),
            ] {
                for request in Self.requests("a.txt") where request.method != .head {
                    let code = try await send(request, headers, client).problem(.badRequest)
                    #expect(code == "ambiguous_credentials")
                }
            }
            let accounts = try await client.fixture.metadata.accounts(after: 0, limit: 10)
            #expect(accounts.count == 2)
        }
    }

    @Test("do not matter where none are needed", arguments: Transport.allCases)
    func ignored(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let headers = HTTPFields.basic("nobody", "").merging(.token("x"))
            for uri in ["/healthz", "/readyz", "/api/v1/files/ping"] {
                let answer = try await client.send(.get, uri, headers)
                #expect(answer.status == .ok)
            }
            let body = #"{"login": "carl", "password": "\#(RouteFixture.password)"}"#
            let registered = try await client.sendJSON(.post, "/api/v1/user/register", headers, body)
            #expect(registered.status == .created)
            let signedIn = try await client.sendJSON(.post, "/api/v1/user/auth", headers, body)
            #expect(signedIn.status == .ok)
        }
    }

    @Test("of every kind lead to the same files on every route", arguments: Transport.allCases)
    func kinds(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let ann = try await client.fixture.principal("ann")
            let bearer = HTTPFields.bearer(try await client.fixture.accounts.issueToken(to: ann).text)
            for (number, headers) in [HTTPFields.ann, bearer, .newToken()].enumerated() {
                let upload = try await client.send(
                    .post, "/api/v1/files/upload?path=\(number).txt", headers, body: "hello")
                #expect(upload.status == .created)
                let names = try await client.paths(headers)
                #expect(names.contains("\(number).txt"))
                let id = try upload.record().id
                for uri in ["/api/v1/files/download?path=\(id)", "/api/files/\(number).txt"] {
                    let answer = try await client.send(.get, uri, headers)
                    #expect(answer.text == "hello")
                }
            }
            let basic = try await client.paths(.ann)
            #expect(basic == ["0.txt", "1.txt"])
        }
    }

    @Test("of one never reach the files of another, by path nor by id", arguments: Transport.allCases)
    func foreign(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let ann = try await client.fixture.principal("ann")
            try await client.put("hello", at: "a.txt")
            let id = try #require(
                try await client.fixture.metadata.file(
                    .path(ann.account?.container.id ?? .init(), try FilePath("a.txt")))
            ).id.description
            let new = HTTPFields.newToken()
            let known = HTTPFields.newToken()
            try await client.put("other", at: "b.txt", known)
            for headers in [HTTPFields.bob, new, known] {
                for file in ["a.txt", id] {
                    for request in Self.requests(file).filter({
                        $0.uri.contains(file) || $0.json?.contains(file) == true
                    }) {
                        let foreign = try await send(request, headers, client).problem(.notFound)
                        #expect(foreign == "not_found")
                    }
                }
            }
            let text = try await client.send(.get, "/api/files/a.txt", .ann).text
            #expect(text == "hello")
        }
    }

    @Test("that are a UUID are the same in upper and lower case", arguments: Transport.allCases)
    func tokenCase(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let uuid = "2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e"
            try await client.put("x", at: "a", .token(uuid))
            try await client.put("x", at: "b", .token(uuid.uppercased()))
            let names = [try await client.paths(.token(uuid)), try await client.paths(.token(uuid.uppercased()))]
            #expect(names == [["a", "b"], ["a", "b"]])
            let accounts = try await client.fixture.metadata.accounts(after: 0, limit: 10)
            #expect(accounts.filter { $0.kind == .token }.count == 1)
        }
    }

    @Test("that are a UUID count as the server is told", arguments: Transport.allCases)
    func containerModes(_ transport: Transport) async throws {
        for mode in [ContainerTokenAuthProvider.Mode.known, .off] {
            try await RouteFixture.with(transport, { $0.containers = mode }) { client in
                let token = HTTPFields.newToken()
                let refused = try await client.put("x", at: "a", token)
                #expect(refused.status == .unauthorized)
                let accounts = try await client.fixture.metadata.accounts(after: 0, limit: 10)
                #expect(accounts.count == 2)
            }
        }
    }
}
