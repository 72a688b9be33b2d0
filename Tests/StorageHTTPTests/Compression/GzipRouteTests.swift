import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Gzip")
struct GzipRouteTests {
    private static let text = String(repeating: "A line that comes again and again.\n", count: 100)
    private static let gzip: HTTPFields = HTTPFields.ann.merging([.acceptEncoding: "gzip"])

    @Test("is sent where the client takes it and the type is worth it", arguments: Transport.allCases)
    func types(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for (name, isCompressible) in [
                ("a.txt", true), ("a.html", true), ("a.json", true), ("a.svg", true), ("a.js", true), ("a.css", true),
                ("a.xml", true), ("a.png", false), ("a.zip", false), ("a.mp4", false), ("a", false),
            ] {
                try await client.put(Self.text, at: name)
                let plain = try await client.send(.get, "/api/files/\(name)", .ann)
                #expect(plain.headers[.contentEncoding] == nil)
                #expect(plain.text == Self.text)
                let vary = "Authorization, X-Auth-Token" + (isCompressible ? ", Accept-Encoding" : "")
                #expect(plain.headers[.vary] == vary, "\(name)")
                // The second time the result is remembered.
                for _ in 0..<2 {
                    let answer = try await client.send(.get, "/api/files/\(name)", Self.gzip)
                    #expect(answer.status == .ok)
                    #expect(answer.headers[.vary] == vary, "\(name)")
                    #expect(answer.headers[.contentType] == plain.headers[.contentType])
                    guard isCompressible else {
                        #expect(answer.headers[.contentEncoding] == nil, "\(name)")
                        #expect(answer.text == Self.text)
                        continue
                    }
                    #expect(answer.headers[.contentEncoding] == "gzip", "\(name)")
                    #expect(answer.headers[.acceptRanges] == nil)
                    #expect(answer.body.readableBytes < Self.text.utf8.count / 4)
                    #expect(answer.headers[.contentLength] == "\(answer.body.readableBytes)")
                    #expect(gunzip(answer.body)?.getString(at: 0, length: Self.text.utf8.count) == Self.text)
                    #expect(try answer.tag() == "\(try plain.tag().dropLast())-gzip\"")
                }
                let head = try await client.send(.head, "/api/files/\(name)", Self.gzip)
                #expect(head.headers[.contentEncoding] == (isCompressible ? "gzip" : nil))
                #expect(head.body.readableBytes == 0)
            }
        }
    }

    @Test("is not sent for a part, a digest, a small file, or to who does not want it", arguments: Transport.allCases)
    func identity(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put(Self.text, at: "a.txt")
            try await client.put(String(repeating: "a", count: 1_023), at: "small.txt")
            for (name, fields) in [
                ("a.txt", [:]), ("a.txt", [.acceptEncoding: "br, gzip;q=0"]), ("a.txt", [.acceptEncoding: "identity"]),
                ("a.txt", [.acceptEncoding: "gzip", .wantReprDigest: "sha-256=1"]),
                ("a.txt", [.acceptEncoding: "gzip", .range: "bytes=0-9"]), ("small.txt", [.acceptEncoding: "gzip"]),
            ] as [(String, HTTPFields)] {
                let answer = try await client.send(.get, "/api/files/\(name)", HTTPFields.ann.merging(fields))
                #expect(answer.headers[.contentEncoding] == nil, "\(name) \(fields)")
                #expect(answer.headers[.acceptRanges] == "bytes")
                #expect(try !answer.tag().contains("gzip"))
            }
        }
    }

    @Test("has a tag of its own, which every condition takes for the revision", arguments: Transport.allCases)
    func conditions(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let tag = try await client.put(Self.text, at: "a.txt").tag()
            let gzipped = "\(tag.dropLast())-gzip\""
            for (fields, status) in [
                ([.ifNoneMatch: "\"x-gzip\""], .ok),
                ([.ifMatch: gzipped], .ok), ([.ifMatch: tag], .ok), ([.ifMatch: "\"x-gzip\""], .preconditionFailed),
                // The parts are of the file as it is, which is another representation.
                ([.range: "bytes=0-1", .ifRange: gzipped], .ok),
                ([.range: "bytes=0-1", .ifRange: tag], .partialContent),
            ] as [(HTTPFields, HTTPResponse.Status)] {
                for encoding in ["gzip", "identity"] {
                    let headers = HTTPFields.ann.merging(fields).merging([.acceptEncoding: encoding])
                    let answer = try await client.send(.get, "/api/files/a.txt", headers)
                    #expect(answer.status == status, "\(fields) \(encoding)")
                }
            }
            let change = HTTPFields.ann.merging([.ifMatch: gzipped])
            #expect(try await client.put("new", at: "a.txt", change).status == .noContent)
            #expect(try await client.put("newer", at: "a.txt", change).status == .preconditionFailed)
        }
    }

    @Test(
        "is known by its tag to who takes it, and 304 tells which of its copies may be used",
        arguments: Transport.allCases)
    func known(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for path in ["/api/files/a.txt", "/openapi.json"] {
                try await client.put(Self.text, at: "a.txt")
                let plain = try await client.send(.get, path, .ann)
                let tag = try plain.tag()
                let gzipped = "\(tag.dropLast())-gzip\""
                let modified: HTTPFields =
                    plain.headers[.lastModified].map { [.ifModifiedSince: $0] } ?? [.ifNoneMatch: "*"]
                for (fields, inGzip, known) in [
                    ([.ifNoneMatch: tag], true, tag), ([.ifNoneMatch: tag], false, tag),
                    ([.ifNoneMatch: gzipped], true, gzipped), ([.ifNoneMatch: gzipped], false, nil),
                    ([.ifNoneMatch: "W/\(gzipped)"], true, gzipped), ([.ifNoneMatch: "W/\(gzipped)"], false, nil),
                    ([.ifNoneMatch: "\"x\", \(tag)"], true, tag), ([.ifNoneMatch: "\(tag), \(gzipped)"], true, gzipped),
                    ([.ifNoneMatch: "\(gzipped), \(tag)"], false, tag), ([.ifNoneMatch: "*"], true, gzipped),
                    ([.ifNoneMatch: "*"], false, tag), (modified, true, gzipped), (modified, false, tag),
                ] as [(HTTPFields, Bool, String?)] {
                    let headers = (inGzip ? Self.gzip : .ann).merging(fields)
                    let answer = try await client.send(.get, path, headers)
                    #expect(answer.status == (known == nil ? .ok : .notModified), "\(path) \(fields) \(inGzip)")
                    #expect(try answer.tag() == known ?? tag, "\(path) \(fields) \(inGzip)")
                    #expect(answer.headers[.vary] == plain.headers[.vary])
                    #expect(answer.headers[.contentEncoding] == nil)
                }
            }
            // A type that is not worth it has no such copy.
            let other = try await client.put(Self.text, at: "a.png").tag()
            let answer = try await client.send(
                .get, "/api/files/a.png", Self.gzip.merging([.ifNoneMatch: "\(other.dropLast())-gzip\""]))
            #expect(answer.status == .ok)
        }
    }

    @Test("takes a place only where something is to be compressed", arguments: Transport.allCases)
    func places(_ transport: Transport) async throws {
        let fixture = try RouteFixture(RouteFixture.Options())
        let routes = fixture.routes(StorageRequestContext.self)
        let application = Application(responder: routes, server: .storage(recall: routes.recall))
        try await fixture.run(application, transport) { client in
            let new = "new\n" + Self.text
            for (name, text) in [("known.txt", Self.text), ("new.txt", new)] { try await client.put(text, at: name) }
            let known = try await client.send(.get, "/api/files/known.txt", Self.gzip)
            var permits = (0..<1_000).compactMap { _ in routes.services.compressor.permit() }
            for (name, isGzipped) in [("known.txt", true), ("new.txt", false)] {
                let answer = try await client.send(.get, "/api/files/\(name)", Self.gzip)
                #expect(answer.headers[.contentEncoding] == (isGzipped ? "gzip" : nil), "\(name)")
                #expect(answer.body == (isGzipped ? known.body : ByteBuffer(string: new)))
                #expect(try answer.tag().contains("gzip") == isGzipped)
                #expect(answer.headers[.vary]?.hasSuffix("Accept-Encoding") == true)
            }
            permits.removeAll()
            let answer = try await client.send(.get, "/api/files/new.txt", Self.gzip)
            #expect(answer.headers[.contentEncoding] == "gzip")
        }
    }

    @Test("of a large file on disk comes in chunks", arguments: Transport.allCases)
    func largeFile(_ transport: Transport) async throws {
        let directory = try TemporaryStore()
        let blobs = try await LocalDiskBlobStore.open(directory: directory.path)
        let whole = String(repeating: Self.text, count: 300)
        try await RouteFixture.with(transport, { $0.blobs = blobs }) { client in
            try await client.put(whole, at: "large.txt")
            for _ in 0..<2 {
                let answer = try await client.send(.get, "/api/files/large.txt", Self.gzip)
                #expect(answer.headers[.contentEncoding] == "gzip")
                #expect(gunzip(answer.body) == ByteBuffer(string: whole))
            }
        }
        await blobs.shutdown()
    }

    @Test("is how long lists and documents come to who takes it", arguments: Transport.allCases)
    func documents(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for number in 0..<1_100 { try await client.put("x", at: "folder/file-\(number)") }
            for uri in ["/api/files", "/api/v1/files", "/api/v1/files?limit=1000", "/openapi.json", "/docs"] {
                let plain = try await client.send(.get, uri, .ann)
                let answer = try await client.send(.get, uri, Self.gzip)
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentEncoding] == "gzip", "\(uri)")
                #expect(answer.headers[.vary]?.hasSuffix("Accept-Encoding") == true)
                #expect(plain.headers[.vary] == answer.headers[.vary], "\(uri)")
                #expect(answer.body.readableBytes < plain.body.readableBytes / 2)
                #expect(gunzip(answer.body) == plain.body, "\(uri)")
                let head = try await client.send(.head, uri, Self.gzip)
                #expect(head.headers[.contentEncoding] == "gzip", "\(uri)")
                #expect(head.body.readableBytes == 0)
            }
            let short = try await client.send(.get, "/api/v1/files?limit=1", Self.gzip)
            #expect(short.headers[.contentEncoding] == nil)
        }
    }
}
