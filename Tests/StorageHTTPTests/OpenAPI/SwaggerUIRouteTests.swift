import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("The page, with Swagger UI")
struct SwaggerUIRouteTests {
    private static let script = String(repeating: "var SwaggerUIBundle = () => {};\n", count: 4_000)
    private static let style = ".swagger-ui { color: #123456 }\n"
    private static let files = [
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"), ("/docs/start.js", "text/javascript; charset=utf-8"),
    ]

    private static func gzipped(_ text: String) throws -> [UInt8] {
        Array(try Deflater(level: 9, form: .gzip).compress(ByteBuffer(string: text), isLast: true).readableBytesView)
    }

    private static func swaggerUI() throws -> SwaggerUI {
        try SwaggerUI(script: gzipped(script), style: gzipped(style))
    }

    @Test("is served with its files, in gzip and without", arguments: Transport.allCases)
    func contents(_ transport: Transport) async throws {
        let swaggerUI = try Self.swaggerUI()
        try await RouteFixture.with(transport) {
            $0.swaggerUI = swaggerUI
        } _: { client in
            let texts = ["/docs/swagger-ui-bundle.js": Self.script, "/docs/swagger-ui.css": Self.style]
            for (path, type) in Self.files + [("/docs", "text/html; charset=utf-8")] {
                let plain = try await client.send(.get, path)
                #expect(plain.status == .ok, "\(path)")
                #expect(plain.headers[.contentType] == type, "\(path)")
                #expect(plain.headers[.contentEncoding] == nil)
                #expect(plain.headers[.xContentTypeOptions] == "nosniff")
                #expect(plain.headers[.cacheControl] == "public, no-cache")
                #expect(plain.headers[.vary] == "Accept-Encoding")
                if let text = texts[path] { #expect(plain.text == text) }
                let packed = try await client.send(.get, path, [.acceptEncoding: "gzip"])
                #expect(packed.headers[.contentEncoding] == "gzip")
                #expect(gunzip(packed.body) == plain.body, "\(path)")
                let head = try await client.send(.head, path)
                #expect(head.headers[.contentLength] == "\(plain.body.readableBytes)")
                #expect(head.headers[.eTag] == plain.headers[.eTag])
                #expect(head.body.readableBytes == 0)
                for headers: HTTPFields in [[:], [.acceptEncoding: "gzip"]] {
                    let tag = try await client.send(.get, path, headers).tag()
                    let known = try await client.send(.get, path, headers.merging([.ifNoneMatch: tag]))
                    #expect(known.status == .notModified && known.headers[.eTag] == tag, "\(path)")
                }
            }
        }
    }

    @Test("holds no script and no style itself, and lets the browser load nothing but files of this server")
    func policy() async throws {
        let swaggerUI = try Self.swaggerUI()
        try await RouteFixture.with(.router) {
            $0.swaggerUI = swaggerUI
        } _: { client in
            let page = try await client.send(.get, "/docs")
            let policy = try #require(page.headers[.contentSecurityPolicy])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "))
            #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe") && !policy.contains("http"))
            for (path, _) in Self.files { #expect(page.text.contains("\"\(path)\""), "\(path)") }
            let start = try await client.send(.get, "/docs/start.js")
            #expect(start.text.contains("url: \"/openapi.json\"") && start.text.contains("validatorUrl: null"))
            for text in [page.text, start.text] {
                for forbidden in ["http://", "https://", "\"//", "<style", "style=\"", "<script>", "onclick", "eval("] {
                    #expect(!text.contains(forbidden), "\(forbidden)")
                }
            }
        }
    }

    @Test("has no other file, and is only read")
    func others() async throws {
        let swaggerUI = try Self.swaggerUI()
        try await RouteFixture.with(.live) {
            $0.swaggerUI = swaggerUI
        } _: { client in
            for path in [
                "/docs/index.html", "/docs/swagger-ui.css/more", "/docs/%2e%2e/openapi.json", "/docs/start.js.map",
            ] {
                let code = try await client.send(.get, path).problem(.notFound)
                #expect(code == "not_found", "\(path)")
            }
            let code = try await client.send(.put, "/docs/start.js", .ann, body: "x").problem(.methodNotAllowed)
            #expect(code == "method_not_allowed")
        }
    }

    @Test("is the plain page where there is none, which has no files")
    func none() async throws {
        try await RouteFixture.with(.live) { client in
            let page = try await client.send(.get, "/docs")
            #expect(page.status == .ok && page.text.contains("fetch(\"/openapi.json\")"))
            for (path, _) in Self.files {
                let code = try await client.send(.get, path).problem(.notFound)
                #expect(code == "not_found", "\(path)")
            }
        }
    }

    @Test("is refused with files that are not in gzip")
    func damaged() throws {
        let style = try Self.gzipped(Self.style)
        for script in [[], Array(Self.script.utf8), Array(try Self.gzipped(Self.script).dropLast(9))] {
            #expect(throws: StorageError.self) { try SwaggerUI(script: script, style: style) }
        }
        #expect(throws: StorageError.self) { try SwaggerUI(script: style, style: style + [0]) }
    }
}
