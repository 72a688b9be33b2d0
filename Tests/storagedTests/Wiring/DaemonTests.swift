import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import storaged

@Suite("A daemon as it is wired")
struct DaemonTests {
    private static let json: HTTPFields = [.contentType: "application/json"]
    private static let account = #"{"login": "ann", "password": "correct horse"}"#
    private static let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

    @Test("has after a restart what it had before: files, accounts and sign-ins")
    func restarts() async throws {
        struct SignIn: Decodable { var token: String }
        let directory = try DataDirectory()
        let (token, tag) = try await directory.serve { client in
            try await client.send(.put, "/api/files/docs/a.txt", body: "hello")
            try await client.send(.post, "/api/v1/user/register", token: nil, Self.json, body: Self.account)
            let signedIn = try await client.send(.post, "/api/v1/user/auth", token: nil, Self.json, body: Self.account)
            let token = try JSONDecoder().decode(SignIn.self, from: Data(signedIn.body.readableBytesView)).token
            let put = try await client.send(
                .put, "/api/files/b.txt", token: nil, [.authorization: "Bearer \(token)"], body: "of ann")
            #expect(put.status == .noContent)
            return (token, put.headers[.eTag])
        }
        try await directory.serve { client in
            let ready = try await client.send(.get, "/readyz", token: nil)
            #expect(ready.status == .ok)
            let names = try await client.send(.get, "/api/files")
            #expect(names.text == #"["docs/a.txt"]"#)
            let text = try await client.send(.get, "/api/files/docs/a.txt")
            #expect(text.text == "hello")
            let ofAnn = try await client.send(
                .get, "/api/files/b.txt", token: nil, [.authorization: "Bearer \(token)"])
            #expect(ofAnn.text == "of ann")
            #expect(ofAnn.headers[.eTag] == tag)
            let again = try await client.send(.post, "/api/v1/user/auth", token: nil, Self.json, body: Self.account)
            #expect(again.status == .ok)
        }
    }

    @Test("keeps bytes where the documents say, by the isolation that is set", arguments: ["tokens", "all", "none"])
    func places(isolation: String) async throws {
        let directory = try DataDirectory()
        try await directory.serve(["blobs.isolation": isolation]) { client in
            try await client.send(.put, "/api/files/a", body: "hello")
        }
        let files = try directory.files
        let file = try #require(files.first)
        #expect(files.count == 1)
        #expect(file.hasSuffix("/2c/\(Self.hello)"))
        #expect(file.hasPrefix("store/") == (isolation == "none"))
        #expect(file.hasPrefix("containers/") == (isolation != "none"))
        #expect(!file.contains("2d3b1c5e"), "A token must be part of no name.")
        let permissions = try directory.permissions(file)
        #expect(permissions == 0o600)
    }

    @Test("stores equal bytes of all containers of a space once")
    func deduplication() async throws {
        let directory = try DataDirectory()
        try await directory.serve(["blobs.isolation": "none"]) { client in
            for token in [UUID(), UUID()] {
                for name in ["a", "b"] {
                    try await client.send(.put, "/api/files/\(name)", token: token.uuidString, body: "hello")
                }
            }
        }
        let files = try directory.files
        #expect(files == ["store/2c/\(Self.hello)"])
    }

    @Test("serves a file that is larger than what is kept in memory, whole and in parts")
    func largeFile() async throws {
        let directory = try DataDirectory()
        let body = String(repeating: "0123456789abcdef", count: 60_000)
        try await directory.serve { client in
            let put = try await client.send(.put, "/api/files/large", body: body)
            #expect(put.status == .noContent)
            let whole = try await client.send(.get, "/api/files/large")
            #expect(whole.text == body)
            let part = try await client.send(.get, "/api/files/large", [.range: "bytes=16-131087"])
            #expect(part.status == .partialContent)
            #expect(part.text == String(body.prefix(131_072)))
        }
    }

    @Test("takes each setting to the part that it is for")
    func settings() async throws {
        let register = "/api/v1/user/register"
        let rows: [(settings: [String: String], HTTPRequest.Method, String, Bool, HTTPResponse.Status)] = [
            (["limits.upload-size": "4"], .put, "/api/files/a", true, .contentTooLarge),
            (["limits.upload-size": "64"], .put, "/api/files/a", true, .noContent),
            (["auth.containers": "off"], .put, "/api/files/a", true, .unauthorized),
            (["auth.containers": "known"], .put, "/api/files/a", true, .unauthorized),
            (["auth.registration": "off"], .post, register, false, .forbidden),
            (["auth.registration": "admin"], .post, register, false, .forbidden),
            (["auth.password-min": "14"], .post, register, false, .unprocessableContent),
            (["auth.password-min": "13"], .post, register, false, .created),
        ]
        for (settings, method, uri, hasToken, status) in rows {
            let memory = settings.merging(["database.url": "memory:"]) { $1 }
            try await DataDirectory().serve(memory) { client in
                let token = hasToken ? UUID().uuidString : nil
                let answer = try await client.send(method, uri, token: token, Self.json, body: Self.account)
                #expect(answer.status == status, "\(settings)")
            }
        }
    }

    @Test("keeps as many older revisions as it is told", arguments: [0, 2])
    func revisions(keep: Int) async throws {
        let directory = try DataDirectory()
        let configuration = try directory.configuration(["revisions.keep": "\(keep)"])
        let basic = "Basic \(Data("ann:correct horse".utf8).base64EncodedString())"
        try await directory.withStores(configuration) { stores, authentication in
            try await buildApplication(configuration, stores, authentication).test(.live) { client in
                try await client.send(.post, "/api/v1/user/register", token: nil, Self.json, body: Self.account)
                for text in ["1", "22", "333", "4444"] {
                    let headers: HTTPFields = [.authorization: basic]
                    let put = try await client.send(.put, "/api/files/a", token: nil, headers, body: text)
                    #expect(put.status == .noContent)
                }
            }
            let record = try await stores.metadata.account(.login(try Login(Array("ann".utf8))))
            let usage = try await stores.metadata.usage(of: try #require(record).account.container.id)
            #expect(usage.bytes == 4)
            #expect(usage.revisionBytes == (keep == 0 ? 0 : 5))
        }
    }
}
