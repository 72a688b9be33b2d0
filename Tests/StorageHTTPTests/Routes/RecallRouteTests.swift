import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import StorageCore
import Testing

@testable import StorageHTTP

/// Answers from memory, beside those that the routes give.
@Suite("An answer from memory")
struct RecallRouteTests {
    /// Downloads of the file that the tests store, each with fields of its own.
    static let downloads: [(HTTPRequest.Method, HTTPFields)] = [
        (.get, [:]), (.head, [:]), (.get, [.range: "bytes=2-4"]), (.get, [.range: "bytes=-1"]),
        (.get, [.range: "bytes=0-3,3-4"]), (.get, [.range: "nonsense"]), (.head, [.range: "bytes=2-4"]),
        (.get, [.ifNoneMatch: "*"]), (.get, [.ifMatch: "*"]), (.get, [.ifNoneMatch: "\"other\""]),
        (.get, [.wantReprDigest: "sha-256=9"]), (.get, [.origin: "https://app.example"]),
        (.get, [.range: "bytes=2-4", .ifRange: "\"other\""]),
    ]

    @Test("is the one that the route would give", arguments: downloads)
    func same(_ method: HTTPRequest.Method, _ fields: HTTPFields) async throws {
        try await RouteFixture.with(.router, { $0.crossOrigin = CrossOriginPolicy("https://app.example") ?? .none }) {
            client in
            let places = try await Self.store(client)
            for (path, credentials) in places {
                let headers = credentials.merging(fields)
                let asked = try await client.send(method, path, headers)
                let recalled = try #require(try await Self.recallSoon(method, path, headers, client), "\(path)")
                let (status, fields, content) = try #require(recalled.parsed)
                #expect(status == "HTTP/1.1 \(asked.status.code) \(asked.status.reasonPhrase)")
                #expect(content == asked.body)
                // The server adds the moment to what routes answer, and the test client knows no Content-Length of an empty body.
                var (expected, actual) = (asked.headers, fields)
                for name in [HTTPField.Name.date, .xRequestID] { (expected[name], actual[name]) = (nil, nil) }
                #expect(Set(actual) == Set(expected), "\(path)")
            }
        }
    }

    @Test("is not given where a route refuses, waits, or changes something")
    func none() async throws {
        try await RouteFixture.with(.router) { client in
            let places = try await Self.store(client)
            let (path, credentials) = try #require(places.first)
            for (method, path, fields) in [
                (HTTPRequest.Method.put, path, credentials), (.get, path, [:]),
                (.get, path, [.authorization: "Bearer wrong"]), (.get, "/nowhere", credentials),
                (.get, "/api/v1/files", credentials), (.get, "/api/v1/files/download", credentials),
                (.get, "/api/v1/files/download?path=/missing", credentials),
                (.get, "/api/v1/files/download?path=/folder", credentials),
                (.get, path, credentials.merging([.range: "bytes=99-"])),
                (.get, path, credentials.merging([.range: "bytes=0-1,3-4"])),
                (.get, path, credentials.merging([.ifMatch: "\"other\""])),
                (.get, "/api/v1/files/download?path=/large", credentials),
                (.get, "/api/v1/files/download?path=/a&compression=zip", credentials),
            ] {
                // Twice: whatever the first time brought into memory.
                for _ in 0..<2 {
                    #expect(Self.recall(method, path, fields, client) == nil, "\(method) \(path)")
                    if method == .get { _ = try await client.send(method, path, fields) }
                }
            }
        }
    }

    @Test("ends with the file")
    func deleted() async throws {
        try await RouteFixture.with(.router) { client in
            for (path, credentials) in try await Self.store(client) {
                try #require(try await Self.recallSoon(.get, path, credentials, client) != nil)
            }
            let ann = try await client.fixture.principal("ann")
            let container = try #require(client.fixture.storage.container(of: ann)?.id)
            try await client.fixture.storage.delete(.path(container, try FilePath("a")), if: .none)
            let (path, credentials) = ("/api/v1/files/download?path=/a", try await Self.bearer(client))
            #expect(Self.recall(.get, path, credentials, client) == nil)
        }
    }

    /// Stores files in every dialect and reads each once; where they are, and what must be sent to read them.
    private static func store(_ client: RouteClient) async throws -> [(String, HTTPFields)] {
        let bearer = try await bearer(client)
        let container = HTTPFields.newToken()
        try await client.send(.put, "/api/files/a", bearer, body: "hello")
        try await client.send(.put, "/api/files/large", bearer, body: String(repeating: "x", count: 70_000))
        try await client.send(.put, "/api/files/folder/b", bearer, body: "b")
        try await client.send(.put, "/api/files/c", container, body: "world")
        let published = try await client.send(.post, "/api/files", bearer, body: "shared")
        let hash = try #require(published.headers[.location])
        let places: [(String, HTTPFields)] = [
            ("/api/v1/files/download?path=/a", bearer), ("/api/files/a", bearer),
            ("/api/v1/files/download?path=a&inline=1", bearer), ("/api/files/c", container), (hash, [:]),
        ]
        for (path, fields) in places {
            let answer = try await client.send(.get, path, fields)
            try #require(answer.status == .ok)
        }
        return places
    }

    private static func bearer(_ client: RouteClient) async throws -> HTTPFields {
        let ann = try await client.fixture.principal("ann")
        return .bearer(try await client.fixture.accounts.issueToken(to: ann).text)
    }

    /// What is recalled right after it was asked for: credentials are remembered for a second, which on a busy machine may be over.
    private static func recallSoon(
        _ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields, _ client: RouteClient
    ) async throws -> CompleteAnswer? {
        for _ in 0..<20 {
            if let answer = recall(method, path, fields, client) { return answer }
            _ = try await client.send(.get, path, fields)
        }
        return nil
    }

    private static func recall(
        _ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields, _ client: RouteClient
    ) -> CompleteAnswer? {
        let head = HTTPRequest(
            method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
        let recalled = client.fixture.routes(StorageRequestContext.self)
            .recall(head, from: nil, on: NIOSingletons.posixEventLoopGroup.any())
        guard case .now(let answer)? = recalled else { return nil }
        return answer
    }
}

extension CompleteAnswer {
    /// The status line, the fields and the content; nil where a line is no field.
    fileprivate var parsed: (status: String, fields: HTTPFields, content: ByteBuffer)? {
        var content = bytes
        guard let head = content.readString(length: headCount), content.readString(length: 2) == "\r\n" else {
            return nil
        }
        if let rest { content.writeImmutableBuffer(rest) }
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard lines.popLast() == "", let status = lines.first else { return nil }
        var fields = HTTPFields()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1)
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { return nil }
            fields.append(HTTPField(name: name, value: String(parts[1])))
        }
        return (String(status), fields, content)
    }
}
