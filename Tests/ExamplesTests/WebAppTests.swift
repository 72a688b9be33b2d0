import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import StorageTesting
import Testing

@testable import web_app

@Suite("web-app, an application with storaged's routes beside its own")
struct WebAppTests {
    /// A request with a container token, which needs no account.
    private static func headers(_ token: String = "2d3b1c5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e") throws -> HTTPFields {
        [try #require(HTTPField.Name("X-Auth-Token")): token]
    }

    private func serve(
        in directory: String, _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        try await buildApplication(data: directory + "/data", port: 0).test(.live, body)
    }

    @Test("has the same files in its own routes and in those of the store, also after a restart")
    func sharedFiles() async throws {
        let text = ByteBuffer.random(count: 3_000_000, seed: 1)
        let mine = try Self.headers()
        try await withTemporaryDirectory { directory in
            try await serve(in: directory) { client in
                let made = try await client.executeRequest(uri: "/notes/a.txt", method: .put, headers: mine, body: text)
                #expect(made.status == .created)
                let again = try await client.executeRequest(
                    uri: "/notes/a.txt", method: .put, headers: mine, body: text)
                #expect(again.status == .noContent)
            }
            try await serve(in: directory) { client in
                for uri in ["/notes/a.txt", "/api/files/notes/a.txt"] {
                    let read = try await client.get(uri, mine)
                    #expect(read.body == text, "\(uri)")
                }
                let names = try await client.get("/notes", mine)
                #expect(names.body == ByteBuffer(string: "a.txt\n"))
                let removed = try await client.executeRequest(
                    uri: "/api/files/notes/a.txt", method: .delete, headers: mine, body: nil)
                #expect(removed.status == .noContent)
                let gone = try await client.get("/notes/a.txt", mine)
                #expect(gone.status == .notFound)
            }
        }
    }

    @Test("keeps its own routes and its own 404 below them, and leaves every other path to the store")
    func paths() async throws {
        try await withTemporaryDirectory { directory in
            try await serve(in: directory) { client in
                for (uri, status, part) in [
                    ("/", HTTPResponse.Status.ok, "/api/files"), ("/health", .ok, "ok"), ("/healthz", .ok, #""ok""#),
                    ("/nothing", .notFound, "no_route"), ("/api/nothing", .notFound, "no_route"),
                    ("/notes/a/b", .notFound, ""), ("/health/a", .notFound, ""), ("/docs", .ok, "<html"),
                ] {
                    let answer = try await client.get(uri)
                    #expect(answer.status == status, "\(uri)")
                    #expect(String(buffer: answer.body).contains(part) || part.isEmpty, "\(uri)")
                }
                let wrong = try await client.executeRequest(uri: "/api/files", method: .put, headers: [:], body: nil)
                #expect(wrong.status == .methodNotAllowed)
            }
        }
    }

    @Test("answers failures of its own routes as the store answers those of its routes")
    func failures() async throws {
        let (mine, others) = (try Self.headers(), try Self.headers("9f1c2b3a-4d5e-4f60-8a7b-1c2d3e4f5a6b"))
        try await withTemporaryDirectory { directory in
            try await serve(in: directory) { client in
                try await client.execute(uri: "/notes/a", method: .put, headers: mine, body: ByteBuffer(string: "a")) {
                    #expect($0.status == .created)
                }
                let foreign = mine.merging([.origin: "https://elsewhere.example"])
                try await client.execute(uri: "/notes/a", method: .put, headers: foreign, body: ByteBuffer(string: "b"))
                {
                    #expect($0.status == .forbidden)
                    #expect(String(buffer: $0.body).contains(#""code":"foreign_origin""#))
                }
                let ambiguous = mine.merging([.authorization: "Bearer abc"])
                for (headers, uri, status, code) in [
                    ([:], "/notes", HTTPResponse.Status.unauthorized, "unauthenticated"),
                    ([.authorization: "Bearer abc"], "/notes", .unauthorized, "unauthenticated"),
                    (ambiguous, "/notes", .badRequest, "ambiguous_credentials"),
                    (others, "/notes/a", .notFound, "not_found"), (mine, "/notes/b", .notFound, "not_found"),
                ] as [(HTTPFields, String, HTTPResponse.Status, String)] {
                    let answer = try await client.get(uri, headers)
                    #expect(answer.status == status, "\(uri)")
                    #expect(answer.headers[.contentType] == "application/problem+json", "\(uri)")
                    #expect(String(buffer: answer.body).contains(#""code":"\#(code)""#), "\(uri)")
                    #expect((answer.headers[.wwwAuthenticate] != nil) == (status == .unauthorized), "\(uri)")
                }
            }
        }
    }
}

extension TestClientProtocol {
    fileprivate func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        try await executeRequest(uri: uri, method: .get, headers: headers, body: nil)
    }
}

extension HTTPFields {
    fileprivate func merging(_ other: HTTPFields) -> HTTPFields {
        var fields = self
        for field in other { fields.append(field) }
        return fields
    }
}
