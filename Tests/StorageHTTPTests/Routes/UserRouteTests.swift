import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

/// A user as administrators see one.
private struct UserDocument: Decodable, Equatable {
    var id: Int
    var email: String
}

@Suite("Users")
struct UserRouteTests {
    private static let admin = HTTPFields.basic("root", RouteFixture.password)

    @Test("register with an e-mail address and a password, and sign in with them", arguments: Transport.allCases)
    func register(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let body = #"{"email": "eve@example.org", "password": "a long phrase"}"#
            let answer = try await client.sendJSON(.post, "/api/users", [:], body)
            #expect(answer.status == .created)
            let user = try answer.decoded(UserDocument.self)
            #expect(user.email == "eve@example.org")
            #expect(user.id == 3)
            #expect(answer.headers[.location] == "/api/users/3")
            let eve = HTTPFields.basic("eve@example.org", "a long phrase")
            let stored = try await client.send(.post, "/api/files", eve, body: "x")
            #expect(stored.status == .ok)

            let form = "email=mia%40example.org&password=a+long+phrase"
            let fields: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
            let other = try await client.send(.post, "/api/users", fields, body: form)
            #expect(other.status == .created)
            let taken = try await client.sendJSON(.post, "/api/users", [:], body)
            _ = try taken.problem(.conflict)
            #expect(taken.text.contains("email"))
        }
    }

    @Test("are refused with the name of the field that is not acceptable", arguments: Transport.allCases)
    func refusals(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let cases = [
                (#"{"password": "a long phrase"}"#, "email"), (#"{"email": "a@b"}"#, "password"),
                (#"{"email": "a:b", "password": "a long phrase"}"#, "email"),
                (#"{"email": "", "password": "a long phrase"}"#, "email"),
                (#"{"email": "public", "password": "a long phrase"}"#, "email"),
                (#"{"email": "a@b", "password": "short"}"#, "password"),
                (#"{"email": 1, "password": "a long phrase"}"#, "email"),
            ]
            for (body, field) in cases {
                let answer = try await client.sendJSON(.post, "/api/users", [:], body)
                _ = try answer.problem(.unprocessableContent)
                let detail = try answer.decoded(ProblemDocument.self).detail
                #expect(detail.contains(field), "\(body)")
            }
            _ = try await client.sendJSON(.post, "/api/users", [:], "{").problem(.badRequest)
        }
    }

    @Test("register as the policy says", arguments: Transport.allCases, AccountRegistry.Policy.Registration.allCases)
    func policy(transport: Transport, registration: AccountRegistry.Policy.Registration) async throws {
        try await RouteFixture.with(transport, { $0.accounts.registration = registration }) { client in
            _ = try await client.fixture.register("root", role: .admin)
            let body = #"{"email": "eve@example.org", "password": "a long phrase"}"#
            for (headers, isAllowed) in [
                (HTTPFields(), registration == .open), (.ann, false), (Self.admin, registration == .admin),
            ] as [(HTTPFields, Bool)] {
                let answer = try await client.sendJSON(.post, "/api/users", headers, body)
                guard registration == .open else {
                    #expect(answer.status == (isAllowed ? .created : .forbidden))
                    continue
                }
                #expect(answer.status == (isAllowed ? .created : .conflict))
            }
        }
    }

    @Test("are seen by administrators only", arguments: Transport.allCases)
    func visibility(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let admin = try await client.fixture.register("root", role: .admin)
            for uri in ["/api/users", "/api/users?limit=1", "/api/users/1", "/api/users/999"] {
                _ = try await client.send(.get, uri).problem(.unauthorized)
                for headers in [.ann, .newToken()] as [HTTPFields] {
                    let code = try await client.send(.get, uri, headers).problem(.forbidden)
                    #expect(code == "forbidden")
                }
            }
            let all = try await client.send(.get, "/api/users", Self.admin)
            #expect(all.headers[.cacheControl] == "no-store")
            let users = try all.decoded([UserDocument].self)
            #expect(users == [("ann", 1), ("bob", 2), ("root", 3)].map { UserDocument(id: $1, email: $0) })
            let one = try await client.send(.get, "/api/users/\(admin.serial)", Self.admin)
            #expect(try one.decoded(UserDocument.self) == users[2])
            let slash = try await client.send(.get, "/api/users/1/", Self.admin)
            #expect(try slash.decoded(UserDocument.self) == users[0])
        }
    }

    @Test("are neither containers nor those without credentials", arguments: Transport.allCases)
    func noOthers(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.anonymousUploads = .on }) { client in
            try await client.put("x", at: "a", .newToken())
            try await client.sendForm("/http/upload", [:], [ReadPart("file", "a", "x")])
            _ = try await client.fixture.register("root", role: .admin)
            let users = try await client.send(.get, "/api/users", Self.admin).decoded([UserDocument].self)
            #expect(users.map(\.id) == [1, 2, 5])
            for id in [
                "3", "4", "0", "6", "-1", "+1", "01x", "1/x", "x", "%31%00", "99999999999999999999",
                "9223372036854775807",
            ] {
                let code = try await client.send(.get, "/api/users/\(id)", Self.admin).problem(.notFound)
                #expect(code == "not_found", "\(id)")
            }
        }
    }

    @Test("come in pages where a limit is given, else all of them", arguments: Transport.allCases)
    func pages(_ transport: Transport) async throws {
        try await RouteFixture.with(transport, { $0.publicURL = "https://files.example" }) { client in
            _ = try await client.fixture.register("root", role: .admin)
            for number in 0..<1_200 {
                _ = try await client.fixture.metadata.change(
                    .register(
                        login: try Login(Array("user-\(number)".utf8)), email: nil, passwordHash: "none", role: .user,
                        ownSpace: false))
                if number % 5 == 0 {
                    _ = try await client.fixture.metadata.change(.openContainer(.random(), ownSpace: false))
                }
            }
            let all = try await client.send(.get, "/api/users", Self.admin).decoded([UserDocument].self)
            #expect(all.count == 1_203)
            #expect(all.map(\.id) == all.map(\.id).sorted())
            var paged: [UserDocument] = []
            var uri: String? = "/api/users?limit=401"
            while let next = uri {
                let page = try await client.send(.get, next, Self.admin)
                paged += try page.decoded([UserDocument].self)
                let link = page.headers[.link]
                #expect(link.map { $0.hasPrefix("<https://files.example/api/users?limit=401&cursor=") } ?? true)
                uri = link.flatMap { $0.split(separator: ">").first }.map { String($0.dropFirst(22)) }
            }
            #expect(paged == all)
            for query in ["limit=0", "limit=1001", "limit=x", "cursor=x", "limit=1&cursor=-1"] {
                _ = try await client.send(.get, "/api/users?\(query)", Self.admin).problem(.badRequest)
            }
        }
    }
}
