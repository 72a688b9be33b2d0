import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("The routes of the document")
struct DocumentRouteTests {
    @Test("serve it at both addresses, to everybody", arguments: Transport.allCases)
    func document(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for path in ["/openapi.json", "/api/openapi", "/openapi.json/"] {
                let answer = try await client.send(.get, path)
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentType] == "application/json")
                #expect(Array(answer.body.readableBytesView) == OpenAPIDocument.bytes)
                let head = try await client.send(.head, path)
                #expect(head.status == .ok)
                #expect(head.headers[.contentLength] == "\(OpenAPIDocument.bytes.count)")
                #expect(head.headers[.eTag] == answer.headers[.eTag])
            }
        }
    }

    @Test("answer 304 to a client that has it", arguments: ["/openapi.json", "/api/openapi", "/docs"])
    func conditions(_ path: String) async throws {
        try await RouteFixture.with(.live) { client in
            let tag = try await client.send(.get, path).tag()
            #expect(tag.hasPrefix("\"") && tag.count > 20)
            for value in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let answer = try await client.send(.get, path, [.ifNoneMatch: value])
                #expect(answer.status == .notModified, "\(value)")
                #expect(answer.headers[.eTag] == tag)
                #expect(answer.body.readableBytes == 0)
            }
            let other = try await client.send(.get, path, [.ifNoneMatch: "\"other\""])
            #expect(other.status == .ok)
        }
    }

    @Test("show the page, whose script and style the policy knows by their digests and which may load nothing else")
    func page() async throws {
        try await RouteFixture.with(.router) { client in
            let answer = try await client.send(.get, "/docs")
            #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            let policy = try #require(answer.headers[.contentSecurityPolicy])
            #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe"))
            for (open, close, directive) in [
                ("<script>", "</script>", "script-src"), ("<style>", "</style>", "style-src"),
            ] {
                let parts = answer.text.components(between: open, and: close)
                #expect(parts.count == 1)
                let digest = Base64.encode(try SHA256.hash(Array(try #require(parts.first).utf8)))
                #expect(policy.contains("\(directive) 'sha256-\(digest)'"))
            }
            for forbidden in ["http://", "https://", "style=\"", "onclick", "innerHTML", "eval("] {
                #expect(!answer.text.contains(forbidden), "\(forbidden)")
            }
        }
    }

    @Test("lead from the root to the page")
    func root() async throws {
        try await RouteFixture.with(.live) { client in
            let answer = try await client.send(.get, "/")
            #expect(answer.status == .found)
            #expect(answer.headers[.location] == "/docs")
            let code = try await client.send(.post, "/").problem(.methodNotAllowed)
            #expect(code == "method_not_allowed")
        }
    }
}

extension String {
    /// What stands between each pair of the two marks.
    fileprivate func components(between open: String, and close: String) -> [String] {
        components(separatedBy: open).dropFirst().compactMap { $0.components(separatedBy: close).first }
    }
}
