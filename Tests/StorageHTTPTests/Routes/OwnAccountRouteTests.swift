import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Routes of the own account")
struct OwnAccountRouteTests {
    private struct SignIn: Decodable {
        var token: String
    }

    private struct Session: Decodable {
        var id: String
        var createdAt: String
        var expiresAt: String?
        var isCurrent: Bool
    }

    private struct Sessions: Decodable {
        var sessions: [Session]
    }

    private static let sessions = "/api/v1/user/sessions"
    private static let user = "/api/v1/user"
    private static let changePassword = "/api/v1/user/password"

    private func signIn(_ client: RouteClient, _ password: String = RouteFixture.password) async throws -> HTTPFields {
        let body = #"{"login": "ann", "password": "\#(password)"}"#
        return .bearer(try await client.sendJSON(.post, "/api/v1/user/auth", [:], body).decoded(SignIn.self).token)
    }

    @Test("list its sign-ins without their tokens, and end one", arguments: Transport.allCases)
    func listed(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let (one, two) = (try await signIn(client), try await signIn(client))
            let answer = try await client.send(.get, Self.sessions, one)
            #expect(answer.status == .ok)
            #expect(answer.headers[.cacheControl] == "no-store")
            let token = try #require(one[.authorization]?.dropFirst("Bearer ".count))
            #expect(!answer.text.contains(token))
            let listed = try answer.decoded(Sessions.self).sessions
            #expect(listed.count == 2)
            let current = try #require(listed.first { $0.isCurrent })
            #expect(listed.count { $0.isCurrent } == 1)
            #expect(current.expiresAt != nil)

            let stranger = try await client.send(.delete, "\(Self.sessions)/\(current.id)", .bob)
            _ = try stranger.problem(.notFound)
            let ended = try await client.send(.delete, "\(Self.sessions)/\(current.id)", two)
            #expect(ended.status == .noContent)
            let refused = try await client.send(.get, "/api/files", one)
            _ = try refused.problem(.unauthorized)
            for id in [current.id, "x", "00000000-0000-0000-0000-000000000000", "a/b"] {
                let again = try await client.send(.delete, "\(Self.sessions)/\(id)", two)
                _ = try again.problem(.notFound)
            }
            let none = try await client.send(.get, Self.sessions, .newToken()).decoded(Sessions.self)
            #expect(none.sessions.isEmpty)
        }
    }

    @Test("replace its password, which ends every other token", arguments: Transport.allCases)
    func password(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let (kept, ended) = (try await signIn(client), try await signIn(client))
            for (body, status) in [
                (#"{"password": "wrong horse", "new_password": "a new phrase"}"#, .forbidden),
                (#"{"password": "correct horse", "new_password": "short"}"#, .unprocessableContent),
                (#"{"password": "correct horse"}"#, .unprocessableContent),
                (#"{"new_password": "a new phrase"}"#, .unprocessableContent), ("{", .badRequest),
            ] as [(String, HTTPResponse.Status)] {
                let answer = try await client.sendJSON(.post, Self.changePassword, kept, body)
                _ = try answer.problem(status)
            }
            let body = #"{"password": "correct horse", "new_password": "a new phrase"}"#
            let changed = try await client.sendJSON(.post, Self.changePassword, kept, body)
            #expect(changed.status == .noContent)
            let statuses = [
                try await client.send(.get, "/api/files", kept).status,
                try await client.send(.get, "/api/files", ended).status,
                try await client.send(.get, "/api/files", .ann).status,
                try await client.send(.get, "/api/files", .basic("ann", "a new phrase")).status,
                try await client.send(.get, "/api/files", .bob).status,
            ]
            #expect(statuses == [.ok, .unauthorized, .unauthorized, .ok, .ok])
            let token = try await client.sendJSON(.post, Self.changePassword, .newToken(), body)
            _ = try token.problem(.forbidden)
        }
    }

    @Test("delete it with all its files, for whoever knows the password", arguments: Transport.allCases)
    func deleted(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let token = try await signIn(client)
            for name in ["a", "b/c"] { try await client.put("x", at: name) }
            let kept = try await client.put("x", at: "a", .bob)
            #expect(kept.status == .noContent)
            for (body, status) in [
                (#"{"password": "wrong horse"}"#, .forbidden), ("{}", .unprocessableContent),
            ] as [(String, HTTPResponse.Status)] {
                let answer = try await client.sendJSON(.delete, Self.user, token, body)
                _ = try answer.problem(status)
            }
            let gone = try await client.sendJSON(.delete, Self.user, token, #"{"password": "correct horse"}"#)
            #expect(gone.status == .noContent)
            for headers in [token, .ann] {
                let answer = try await client.send(.get, "/api/files", headers)
                _ = try answer.problem(.unauthorized)
            }
            let others = try await client.paths(.bob)
            #expect(others == ["a"])
            let containers = try await client.fixture.metadata.inspectContainers(after: nil, limit: 10)
            #expect(containers.count == 1)
        }
    }

    @Test("refuse what its limit has no room for, before the body is asked for", arguments: Transport.allCases)
    func quota(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.files.limits = ContainerLimits(bytes: 10, files: 2) }) { client in
            try await client.put("01234567", at: "a")
            let full = try await client.put("012", at: "b")
            let code = try full.problem(HTTPResponse.Status(code: 507, reasonPhrase: ""))
            #expect(code == "quota_exceeded")
            let form = try await client.sendForm(
                "/api/v1/files/upload", .ann, [ReadPart("file", "b", "012"), ReadPart("path", nil, "b")])
            _ = try form.problem(HTTPResponse.Status(code: 507, reasonPhrase: ""))
            let replaced = try await client.put("0123456789", at: "a")
            #expect(replaced.status == .noContent)
            let empty = try await client.put("", at: "b")
            #expect(empty.status == .noContent)
            let third = try await client.put("", at: "c")
            _ = try third.problem(HTTPResponse.Status(code: 507, reasonPhrase: ""))
            let names = try await client.paths()
            #expect(names == ["a", "b"])
        }
    }
}
