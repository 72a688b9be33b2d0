import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Routes of accounts")
struct AccountRouteTests {
    private struct RegisteredDocument: Decodable {
        var id: String
        var login: String
        var username: String
    }

    private struct SignInDocument: Decodable {
        var token: String
        var accessToken: String
        var tokenType: String
        var expiresIn: Int
    }

    private static let register = "/api/v1/user/register"
    private static let auth = "/api/v1/user/auth"
    private static let logout = "/api/v1/user/logout"
    private static let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]

    @Test("register an account, whatever the form of the request", arguments: Transport.allCases)
    func registers(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let pass = RouteFixture.password
            let answers = [
                "one": try await client.sendJSON(
                    .post, Self.register, [:], #"{"login": "one", "password": "\#(pass)"}"#),
                "two": try await client.sendJSON(
                    .post, Self.register, [:], #"{"password": "\#(pass)", "username": "two", "unknown": [1, {}]}"#),
                "three@example.org": try await client.sendJSON(
                    .post, Self.register, [:], #"{"email": "three@example.org", "password": "\#(pass)"}"#),
                "fo ur": try await client.send(
                    .post, Self.register, Self.form, body: "login=fo+ur&password=correct%20horse"),
                "five": try await client.sendForm(
                    Self.register, [:], [ReadPart("password", nil, pass), ReadPart("login", nil, "five")]),
                "\u{43f}\u{44f}\u{442}\u{44c}": try await client.sendJSON(
                    .post, Self.register, [:], #"{"login": "\u043f\u044f\u0442\u044c", "password": "\#(pass)"}"#),
                "six": try await client.send(
                    .post, Self.register, [:], body: #"{"login": "six", "password": "\#(pass)"}"#),
            ]
            for (login, answer) in answers {
                #expect(answer.status == .created, "\(login): \(answer.text)")
                let document = try answer.decoded(RegisteredDocument.self)
                #expect(document.login == login)
                #expect(document.username == login)
                #expect(Identifier<Account>(text: document.id.utf8) != nil)
                let list = try await client.send(.get, "/api/v1/files", .basic(login, pass)).decoded(ListDocument.self)
                #expect(list.account == login)
                #expect(list.accountId == document.id)
            }
        }
    }

    @Test("refuse to register with values that no account may have", arguments: Transport.allCases)
    func unacceptable(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let long = String(repeating: "x", count: 1_025)
            for (body, field) in [
                (#"{"password": "correct horse"}"#, "login"), (#"{"login": "x"}"#, "password"), ("{}", "login"),
                (#"{"login": "a:b", "password": "correct horse"}"#, "login"),
                (#"{"login": "", "password": "correct horse"}"#, "login"),
                (#"{"login": "public", "password": "correct horse"}"#, "login"),
                (#"{"login": "a\u0000b", "password": "correct horse"}"#, "login"),
                (#"{"login": "x", "password": "1234567"}"#, "password"),
                (#"{"login": "x", "password": "password"}"#, "password"),
                (#"{"login": "x", "password": "\#(long)"}"#, "password"),
                (#"{"login": 7, "password": "correct horse"}"#, "login"),
                (#"{"login": "x", "password": ["correct horse"]}"#, "password"),
                (#"{"login": null, "password": "correct horse"}"#, "login"),
            ] {
                let answer = try await client.sendJSON(.post, Self.register, [:], body)
                _ = try answer.problem(.unprocessableContent)
                let detail = try answer.decoded(ProblemDocument.self).detail
                #expect(detail.contains(field), "\(body): \(detail)")
                #expect(!detail.contains("correct horse"))
            }
            let accounts = try await client.fixture.metadata.accounts(after: 0, limit: 10)
            #expect(accounts.count == 2)
        }
    }

    @Test("refuse bodies that are not well formed, or too large", arguments: Transport.allCases)
    func malformed(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for uri in [Self.register, Self.auth] {
                for body in [
                    "", "{", "[]", "null", "{} x", #"{"login": "x", "login": "y", "password": "correct horse"}"#,
                ] {
                    let code = try await client.sendJSON(.post, uri, [:], body).problem(.badRequest)
                    #expect(code == "invalid_json", "\(body)")
                }
                for body in ["login=%", "login=a&login=b&password=correct+horse"] {
                    let code = try await client.send(.post, uri, Self.form, body: body).problem(.badRequest)
                    #expect(code == "invalid_form", "\(body)")
                }
                for type in [
                    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
                ] {
                    let answer = try await client.send(.post, uri, [.contentType: type], body: "--b\r\n\r\n--b--\r\n")
                    let code = try answer.problem(.badRequest)
                    #expect(code == "invalid_multipart", "\(type)")
                }
                let large = #"{"login": "\#(String(repeating: "x", count: 20_000))"}"#
                for answer in [
                    try await client.sendJSON(.post, uri, [:], large),
                    try await client.send(
                        .post, uri, Self.form, body: "login=\(String(repeating: "x", count: 20_000))"),
                    try await client.sendForm(
                        uri, [:], [ReadPart("login", nil, String(repeating: "x", count: 20_000))]),
                ] {
                    let code = try answer.problem(.contentTooLarge)
                    #expect(code == "too_large")
                }
            }
        }
    }

    @Test("refuse a login that is taken, and only that very one", arguments: Transport.allCases)
    func taken(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let taken = try await client.sendJSON(
                .post, Self.register, [:], #"{"login": "ann", "password": "another horse"}"#)
            let code = try taken.problem(.conflict)
            #expect(code == "login_taken")
            for login in ["Ann", "ann ", "a\u{301}nn"] {
                let body = #"{"login": "\#(login)", "password": "another horse"}"#
                let answer = try await client.sendJSON(.post, Self.register, [:], body)
                #expect(answer.status == .created, "\(login)")
            }
        }
    }

    @Test("are closed to whom the server is told to keep out", arguments: Transport.allCases)
    func closed(_ transport: Transport) async throws {
        for registration in [AccountRegistry.Policy.Registration.admin, .off] {
            try await RouteFixture.with(transport, { $0.accounts.registration = registration }) { client in
                _ = try await client.fixture.register("root", role: .admin)
                let body = #"{"login": "carl", "password": "correct horse"}"#
                for headers in [[:], HTTPFields.ann, .newToken()] as [HTTPFields] {
                    let code = try await client.sendJSON(.post, Self.register, headers, body).problem(.forbidden)
                    #expect(code == "forbidden")
                }
                let root = HTTPFields.basic("root", RouteFixture.password)
                let answer = try await client.sendJSON(.post, Self.register, root, body)
                #expect(answer.status == (registration == .admin ? .created : .forbidden))
            }
        }
    }

    @Test("hand out tokens that work until they are signed out", arguments: Transport.allCases)
    func signInAndOut(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.accounts.tokenLifetime = .seconds(90) }) { client in
            let bodies = ["login", "username", "email"].map { #"{"\#($0)": "ann", "password": "correct horse"}"# }
            var answers: [TestResponse] = []
            for body in bodies { answers.append(try await client.sendJSON(.post, Self.auth, [:], body)) }
            answers.append(
                try await client.send(
                    .post, Self.auth, Self.form,
                    body: "grant_type=password&username=ann&password=correct+horse&scope=&client_id=&client_secret="))
            var tokens: Set<String> = []
            for answer in answers {
                #expect(answer.status == .ok)
                #expect(answer.headers[.cacheControl] == "no-store")
                let decoded = try answer.decoded(SignInDocument.self)
                #expect(decoded.token == decoded.accessToken)
                #expect(decoded.tokenType == "bearer")
                #expect(decoded.expiresIn == 90)
                tokens.insert(decoded.token)
            }
            #expect(tokens.count == 4)
            let gone = try #require(tokens.first)
            tokens.remove(gone)
            let out = try await client.send(.post, Self.logout, .bearer(gone))
            #expect(out.status == .noContent)
            for uri in ["/api/v1/files", "/api/files"] {
                let refused = try await client.send(.get, uri, .bearer(gone))
                #expect(refused.status == .unauthorized)
                for token in tokens {
                    let answer = try await client.send(.get, uri, .bearer(token))
                    #expect(answer.status == .ok)
                }
            }
            let again = try await client.send(.post, Self.logout, .bearer(gone))
            #expect(again.status == .unauthorized)
        }
    }

    @Test("refuse to sign in with what is wrong", arguments: Transport.allCases)
    func wrongSignIn(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for body in [
                #"{"login": "ann", "password": "wrong horse"}"#, #"{"login": "nobody", "password": "correct horse"}"#,
                #"{"login": "", "password": ""}"#, #"{"login": "a:b", "password": "correct horse"}"#,
            ] {
                let code = try await client.sendJSON(.post, Self.auth, [:], body).problem(.unauthorized)
                #expect(code == "unauthenticated")
            }
        }
    }

    @Test("sign out nobody who came without a token of a sign-in", arguments: Transport.allCases)
    func nothingToSignOut(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let token = HTTPFields.newToken()
            try await client.put("hello", at: "a", token)
            for headers in [HTTPFields.ann, token, .newToken()] {
                let answer = try await client.send(.post, Self.logout, headers)
                _ = try answer.problem(.unauthorized)
            }
            let text = try await client.send(.get, "/api/files/a", token).text
            #expect(text == "hello")
        }
    }
}
