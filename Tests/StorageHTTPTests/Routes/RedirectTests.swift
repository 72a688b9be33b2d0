import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Files that a proxy sends by itself")
struct RedirectTests {
    private static let asking = HTTPFields.ann.merging([.xSendfileType: "X-Accel-Redirect"])
    private static let loopback = ["127.0.0.0/8", "::1"]
    /// Too large to be answered from memory.
    private static let content = String(repeating: "x", count: 200_000)

    /// Runs a test with a file in a store on disk, below a path by which proxies at this machine know it.
    private func withFile(
        _ adjust: (inout RouteFixture.Options) -> Void = { _ in },
        _ body: @Sendable (RouteClient) async throws -> Void
    ) async throws {
        let directory = try TemporaryStore()
        let blobs = try await LocalDiskBlobStore.open(directory: directory.path)
        try await RouteFixture.with(
            .live,
            {
                $0.blobs = blobs
                $0.trustedProxies = Self.loopback
                $0.redirectPrefix = "/_blobs/"
                adjust(&$0)
            }
        ) { client in
            try await client.put(Self.content, at: "a")
            try await body(client)
        }
        withExtendedLifetime(directory) {}
    }

    @Test("the proxy is told where the blob lies, and all else that a client is told")
    func redirect() async throws {
        try await withFile { client in
            let digest = try SHA256.digest(of: ByteBuffer(string: Self.content)).description
            let whole = try await client.send(.get, "/api/files/a", .ann)
            let told = try await client.send(.get, "/api/files/a", Self.asking)
            #expect(told.status == .ok && told.body.readableBytes == 0)
            #expect(told.headers[.xAccelRedirect] == "/_blobs/store/\(digest.prefix(2))/\(digest)")
            for name: HTTPField.Name in [.eTag, .lastModified, .contentType, .contentDisposition, .vary, .cacheControl]
            {
                #expect(told.headers[name] == whole.headers[name] && told.headers[name] != nil, "\(name)")
            }
            #expect(whole.body.readableBytes == Self.content.utf8.count && whole.headers[.xAccelRedirect] == nil)
        }
    }

    @Test("one range is left to the proxy", arguments: ["0-99999", "100-", "-150000"])
    func range(_ range: String) async throws {
        try await withFile { client in
            let told = try await client.send(.get, "/api/files/a", Self.asking.merging([.range: "bytes=\(range)"]))
            #expect(told.status == .ok && told.headers[.contentRange] == nil && told.headers[.xAccelRedirect] != nil)
        }
    }

    @Test("a range so small that it is read at once is answered here", arguments: ["0-9", "-50"])
    func smallRange(_ range: String) async throws {
        try await withFile { client in
            let told = try await client.send(.get, "/api/files/a", Self.asking.merging([.range: "bytes=\(range)"]))
            #expect(told.status == .partialContent && told.headers[.xAccelRedirect] == nil)
        }
    }

    @Test("what a proxy might understand in another way is answered here")
    func answeredHere() async throws {
        try await withFile { client in
            let tag = try #require(try await client.send(.head, "/api/files/a", .ann).headers[.eTag])
            let date = "Sat, 01 Jan 2000 00:00:00 GMT"
            let requests: [(HTTPFields, HTTPResponse.Status)] = [
                ([.range: "bytes=0-9, 20-29"], .partialContent), ([.range: "bytes=0-9,"], .partialContent),
                ([.range: "bytes=999999-"], .rangeNotSatisfiable), ([.range: "bytes=9-0"], .ok),
                ([.ifMatch: tag], .ok),
                ([.ifNoneMatch: "\"other\""], .ok), ([.ifNoneMatch: tag], .notModified),
                ([.ifModifiedSince: date], .ok), ([.ifUnmodifiedSince: date], .preconditionFailed),
                ([.range: "bytes=0-9", .ifRange: tag], .partialContent),
            ]
            var two = HTTPFields([HTTPField(name: .range, value: "bytes=0-99999")])
            two.append(HTTPField(name: .range, value: "bytes=100-"))
            let twice = try await client.send(.get, "/api/files/a", Self.asking.merging(two))
            #expect(twice.headers[.xAccelRedirect] == nil)
            for (fields, status) in requests {
                let answer = try await client.send(.get, "/api/files/a", Self.asking.merging(fields))
                #expect(answer.status == status, "\(fields)")
                #expect(answer.headers[.xAccelRedirect] == nil, "\(fields)")
            }
            let head = try await client.send(.head, "/api/files/a", Self.asking)
            #expect(head.status == .ok && head.headers[.xAccelRedirect] == nil)
            try await client.put("small", at: "b")
            let small = try await client.send(.get, "/api/files/b", Self.asking)
            #expect(small.headers[.xAccelRedirect] == nil && String(buffer: small.body) == "small")
        }
    }

    @Test("nobody else is told: who is no proxy, does not ask, or may not read")
    func nobodyElse() async throws {
        let cases: [(inout RouteFixture.Options) -> Void] = [
            { $0.trustedProxies = ["192.0.2.0/24"] }, { $0.redirectPrefix = nil }, { $0.files.verification = .always },
        ]
        for adjust in cases {
            try await withFile(adjust) { client in
                let answer = try await client.send(.get, "/api/files/a", Self.asking)
                #expect(answer.headers[.xAccelRedirect] == nil && String(buffer: answer.body) == Self.content)
            }
        }
        try await withFile { client in
            for value in ["", "X-Sendfile", "x-accel-redirect "] {
                let answer = try await client.send(.get, "/api/files/a", .ann.merging([.xSendfileType: value]))
                #expect(answer.headers[.xAccelRedirect] == nil && String(buffer: answer.body) == Self.content)
            }
            let stranger = HTTPFields.bob.merging([.xSendfileType: "X-Accel-Redirect"])
            let refused = try await client.send(.get, "/api/files/a", stranger)
            #expect(refused.status == .notFound && refused.headers[.xAccelRedirect] == nil)
        }
    }

    @Test(
        "one range is two numbers or one of them",
        arguments: [
            ("bytes=0-0", true), ("bytes=5-", true), ("bytes=-5", true), ("bytes=-", false), ("bytes=", false),
            ("bytes=0-1,", false), ("bytes=0-1,3-4", false), ("bytes= 0-1", false), ("Bytes=0-1", false),
            ("bytes=0-1-2", false), ("bytes=a-b", false), ("bytes=0-9999999999999999999", false), ("items=0-1", false),
            ("bytes=١-٢", false), ("", false),
        ])
    func oneRange(value: String, isOne: Bool) {
        #expect(Download.isOneRange(value) == isOne)
    }
}
