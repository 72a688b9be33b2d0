import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Metrics
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("What is counted of requests")
struct MetricsRouteTests {
    /// The value of a series.
    private func value(_ series: String, in metrics: MetricsRegistry) -> String? {
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.map { String($0.dropFirst(series.count + 1)) }
    }

    @Test("by the template of the route, method and status", arguments: Transport.allCases)
    func requests(_ transport: Transport) async throws {
        let metrics = MetricsRegistry()
        try await RouteFixture.with(transport) {
            $0.metrics = metrics
        } _: { client in
            try await client.send(.put, "/api/files/secret.txt", .ann, body: "hello")
            for _ in 1...3 { try await client.send(.get, "/api/v1/files/download?path=/secret.txt", .ann) }
            try await client.send(.get, "/nothing/secret.txt", .ann)
            try await client.send(HTTPRequest.Method(rawValue: "PROPFIND") ?? .trace, "/api/files/secret.txt", .ann)
            try await client.send(.options, "/healthz")
            try await client.send(.head, "/healthz")
        }
        for (labels, count) in [
            (#"route="/api/files/{filename}",method="PUT",status="204""#, 1),
            (#"route="/api/v1/files/download",method="GET",status="200""#, 3),
            (#"route="-",method="GET",status="404""#, 1),
            (#"route="/api/files/{filename}",method="other",status="405""#, 1),
            (#"route="/healthz",method="OPTIONS",status="204""#, 1),
            (#"route="/healthz",method="HEAD",status="200""#, 1),
        ] {
            #expect(value("http_requests_total{\(labels)}", in: metrics) == "\(count)", "\(labels)")
        }
        #expect(
            value(#"http_request_duration_seconds_count{route="/api/v1/files/download",method="GET"}"#, in: metrics)
                == "3")
        #expect(value("http_requests_in_flight", in: metrics) == "0")
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(!text.lowercased().contains("secret"))
    }

    @Test("with the connections and the bytes of their contents")
    func connections() async throws {
        let metrics = MetricsRegistry()
        try await RouteFixture.with(.live) {
            $0.metrics = metrics
        } _: { client in
            try await client.send(.put, "/api/files/a", .ann, body: "0123456789")
            let before = value("http_response_body_bytes_total", in: metrics).flatMap(Int.init) ?? 0
            // From the disk's cache, and from memory: written by different ways.
            for _ in 1...3 { try await client.send(.get, "/api/v1/files/download?path=/a", .ann) }
            try await client.send(.head, "/api/v1/files/download?path=/a", .ann)
            let after = value("http_response_body_bytes_total", in: metrics).flatMap(Int.init) ?? 0
            #expect(after - before == 30)
            #expect(value("http_request_body_bytes_total", in: metrics) == "10")
            #expect(value("http_connections", in: metrics) == "1")
        }
        #expect(value("http_connections_accepted_total", in: metrics) == "1")
    }

    @Test("is shown to direct clients on this machine alone", arguments: Transport.allCases)
    func access(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let answer = try await client.send(.get, "/metrics")
            guard transport == .live else {
                // A request that came from nowhere is nobody's on this machine.
                #expect(answer.status == .notFound)
                return
            }
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(
                answer.text.contains("# TYPE http_requests_total counter\n") || answer.text.contains("in_flight 1\n"))
            let zipped = try await client.send(.get, "/metrics", [.acceptEncoding: "gzip"])
            #expect(zipped.headers[.contentEncoding] == "gzip")
            for name in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"] {
                let field = try #require(HTTPField.Name(name))
                let refused = try await client.send(.get, "/metrics", [field: "192.0.2.1"])
                let code = try refused.problem(.notFound)
                #expect(code == "no_route", "\(name)")
            }
            let posted = try await client.send(.post, "/metrics")
            #expect(posted.status == .methodNotAllowed)
            #expect(posted.headers[.allow] == "GET, HEAD, OPTIONS")
        }
    }

    @Test(
        "is a path like any that is not there for everybody else, and where the server has another listener for it",
        arguments: [true, false])
    func nowhere(isExposed: Bool) async throws {
        let metrics = MetricsRegistry()
        try await RouteFixture.with(.live) {
            $0.metrics = metrics
            $0.exposesMetrics = isExposed
        } _: { client in
            let fields: HTTPFields = isExposed ? [.via: "1.1 proxy"] : [:]
            for method in [HTTPRequest.Method.get, .head, .post, .put, .delete, .options, .patch] {
                for uri in ["/metrics", "/metrics/", "/metrics?a=%"] {
                    let answer = try await client.send(method, uri, fields)
                    let missing = try await client.send(method, uri.replacing("metrics", with: "nothing"), fields)
                    #expect(answer.status == .notFound, "\(method) \(uri)")
                    #expect(missing.status == .notFound, "\(method) \(uri)")
                    #expect(Set(answer.headers.map(\.name)) == Set(missing.headers.map(\.name)), "\(method) \(uri)")
                }
            }
        }
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(!text.contains(#"http_requests_total{route="/metrics""#))
    }

    @Test("is all that the listener for who watches answers")
    func admin() async throws {
        let metrics = MetricsRegistry()
        Counter(label: "a_total", factory: metrics).increment()
        let application = Application(responder: AdminRoutes<BasicRequestContext>(metrics: metrics))
        try await application.test(.live) { client in
            let answer = try await client.executeRequest(
                uri: "/metrics", method: .get, headers: [.init("X-Forwarded-For") ?? .via: "192.0.2.1"], body: nil)
            #expect(answer.status == .ok)
            #expect(String(buffer: answer.body).contains("\na_total 1\n"))
            for (method, path, status) in [
                (HTTPRequest.Method.head, "/metrics", HTTPResponse.Status.ok), (.post, "/metrics", .methodNotAllowed),
                (.get, "/", .notFound), (.get, "/api/v1/files", .notFound), (.get, "/healthz", .notFound),
            ] {
                let other = try await client.executeRequest(uri: path, method: method, headers: [:], body: nil)
                #expect(other.status == status, "\(method) \(path)")
            }
        }
    }
}
