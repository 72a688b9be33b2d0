import HTTPTypes
import HummingbirdTesting
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Behind proxies")
struct ProxyTests {
    private static let loopback = ["127.0.0.0/8", "::1"]
    private static let forwarded: HTTPFields = [
        .forwarded: "for=192.0.2.7;proto=https;host=files.example"
    ]

    @Test("absolute URLs are those that the client used, where the proxy is trusted", arguments: [true, false])
    func links(isTrusted: Bool) async throws {
        try await RouteFixture.with(.live, { $0.trustedProxies = isTrusted ? Self.loopback : ["192.0.2.0/24"] }) {
            client in
            for name in ["a", "b"] { try await client.put("x", at: name) }
            let list = try await client.send(.get, "/api/v1/files?limit=1", .ann.merging(Self.forwarded))
            let link = try #require(list.headers[.link])
            #expect(link.hasPrefix("<https://files.example/api/v1/files?limit=1&cursor=") == isTrusted, "\(link)")
            #expect(isTrusted || link.hasPrefix("<http://localhost"), "\(link)")
        }
    }

    @Test("the public URL is stronger than what proxies say")
    func publicURL() async throws {
        try await RouteFixture.with(
            .live,
            {
                $0.trustedProxies = Self.loopback
                $0.publicURL = "https://public.example/base"
            }
        ) { client in
            for name in ["a", "b"] { try await client.put("x", at: name) }
            let list = try await client.send(.get, "/api/v1/files?limit=1", .ann.merging(Self.forwarded))
            #expect(list.headers[.link]?.hasPrefix("<https://public.example/base/api/v1/files?") == true)
            let origins = [
                ("https://public.example", true), ("http://public.example", false), ("https://files.example", true),
            ]
            for (origin, isOwn) in origins {
                let put = try await client.put("x", at: "c", .ann.merging(Self.forwarded).merging([.origin: origin]))
                #expect(put.status == (isOwn ? .noContent : .forbidden), "\(origin)")
            }
        }
    }

    @Test("the own origin is the host that the client asked for", arguments: [true, false])
    func origins(isTrusted: Bool) async throws {
        try await RouteFixture.with(.live, { $0.trustedProxies = isTrusted ? Self.loopback : [] }) { client in
            for (origin, isOwn) in [
                ("https://files.example", true), ("http://files.example", true), ("https://evil.example", false),
                ("https://files.example.evil", false), ("https://files.example:444", false),
            ] {
                let headers = Self.forwarded.merging([.origin: origin]).merging(.ann)
                let put = try await client.put("x", at: "a", headers)
                #expect(put.status == (isOwn && isTrusted ? .noContent : .forbidden), "\(origin)")
            }
        }
    }

    @Test("the own origin may be told with the port that its scheme has anyway")
    func defaultPorts() async throws {
        try await RouteFixture.with(.live, { $0.trustedProxies = Self.loopback }) { client in
            for (host, origin, isOwn) in [
                ("files.example:443", "https://files.example", true),
                ("Files.Example:80", "http://files.example", true),
                ("files.example:8443", "https://files.example", false),
                ("files.example:80", "https://files.example", false),
                ("files.example:8443", "https://files.example:8443", true),
            ] {
                let headers: HTTPFields = [.xForwardedHost: host, .origin: origin]
                let put = try await client.put("x", at: "a", headers.merging(.ann))
                #expect(put.status == (isOwn ? .noContent : .forbidden), "\(host) \(origin)")
            }
        }
    }

    @Test("records of acts name the client, and never what nobody trusted says", arguments: [true, false])
    func audit(isTrusted: Bool) async throws {
        try await RouteFixture.with(.live, { $0.trustedProxies = isTrusted ? Self.loopback : [] }) { client in
            let registration = #"{"login": "eve", "password": "correct horse"}"#
            for path in ["register", "auth"] {
                try await client.sendJSON(.post, "/api/v1/user/\(path)", Self.forwarded, registration)
            }
            let entries = client.fixture.metadata.audited
            #expect(entries.map(\.act) == ["register", "sign_in"])
            for entry in entries {
                let address = try #require(entry.address)
                #expect(isTrusted ? address == "192.0.2.7" : ["127.0.0.1", "::1"].contains(address))
            }
        }
    }
}
