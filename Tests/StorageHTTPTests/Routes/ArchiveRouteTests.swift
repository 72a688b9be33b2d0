import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("Downloading an archive")
struct ArchiveRouteTests {
    private static let download = "/api/v1/files/download"

    private static let heads: [(ArchiveFormat, type: String, name: String)] = [
        (.zip, "application/zip", "my docs.zip"), (.tar, "application/x-tar", "my docs.tar"),
        (.sevenZip, "application/x-7z-compressed", "my docs.7z"),
    ]

    @Test("tells what it is and promises nothing more", arguments: Transport.allCases, heads)
    func head(_ transport: Transport, _ head: (format: ArchiveFormat, type: String, name: String)) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "my docs/a.txt")
            let uri = "\(Self.download)?path=\(query("my docs"))&compression=\(head.format.rawValue)"
            let answer = try await client.send(.get, uri, .ann)
            #expect(answer.status == .ok)
            let entries = try head.format.read(answer.body)
            #expect(entries.names == ["my docs", "my docs/a.txt"])
            #expect(entries.text("my docs/a.txt") == "hello")
            let without = try await client.send(.head, uri, .ann)
            #expect(without.status == .ok && without.body.readableBytes == 0)
            let escaped = head.name.replacing(" ", with: "%20")
            let expected: HTTPFields = [
                .contentType: head.type, .acceptRanges: "none", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"\(head.name)\"; filename*=UTF-8''\(escaped)",
                .vary: "Authorization, X-Auth-Token", .xContentTypeOptions: "nosniff",
                .contentSecurityPolicy: "default-src 'none'; sandbox",
            ]
            for headers in [answer.headers, without.headers] {
                for field in expected { #expect(headers[values: field.name] == [field.value], "\(field.name)") }
                for name in [HTTPField.Name.eTag, .lastModified, .contentLength] {
                    #expect(headers[name] == nil, "\(name)")
                }
            }
        }
    }

    @Test("names file and folder by path and by id", arguments: Transport.allCases)
    func references(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "folder/a.txt")
            let records = try await client.send(.get, "/api/v1/files?folder=folder", .ann).decoded(ListDocument.self)
            let file = try #require(records.files.first).id
            let folder = try await client.send(.get, "/api/v1/files?folder=/", .ann).decoded(ListDocument.self)
            for (path, names) in [
                ("/folder", ["folder", "folder/a.txt"]), ("folder", ["folder", "folder/a.txt"]),
                (try #require(folder.files.first).id, ["folder", "folder/a.txt"]),
                ("/folder/a.txt", ["a.txt"]), (file, ["a.txt"]),
            ] {
                let answer = try await client.send(.get, "\(Self.download)?path=\(query(path))&compression=zip", .ann)
                #expect(try ZipReader.read(answer.body).names == names)
            }
        }
    }

    @Test("refuses what it does not know", arguments: Transport.allCases)
    func refusals(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a")
            for value in ["", "rar", "ZIP", "zip%20", "tar.gz", "%D1%8F"] {
                let answer = try await client.send(.get, "\(Self.download)?path=a&compression=\(value)", .ann)
                let code = try answer.problem(.badRequest)
                #expect(code == "unknown_compression", "\(value)")
            }
            for (uri, headers, status) in [
                ("path=a&compression=zip&compression=tar", .ann, .badRequest),
                ("path=a&compression=%ff", .ann, .badRequest), ("compression=zip", .ann, .badRequest),
                ("path=none&compression=zip", .ann, .notFound), ("path=a&compression=zip", .bob, .notFound),
                ("path=a&compression=zip", .newToken(), .notFound), ("path=a&compression=zip", [:], .unauthorized),
                ("path=a&compression=rar", [:], .unauthorized),
            ] as [(String, HTTPFields, HTTPResponse.Status)] {
                for method in [HTTPRequest.Method.get, .head] {
                    let answer = try await client.send(method, "\(Self.download)?\(uri)", headers)
                    #expect(answer.status == status, "\(uri)")
                }
            }
        }
    }

    @Test("keeps to the conditions of a file, and knows no ranges", arguments: Transport.allCases)
    func conditions(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let tag = try await client.put("hello", at: "folder/a").tag()
            for (path, fields, status) in [
                ("folder/a", [.ifMatch: tag], .ok), ("folder/a", [.ifMatch: "\"x\""], .preconditionFailed),
                ("folder/a", [.ifNoneMatch: tag], .ok), ("folder/a", [.range: "bytes=0-1"], .ok),
                ("folder", [.ifMatch: "\"x\""], .ok), ("folder", [.ifNoneMatch: "*"], .ok),
                ("folder", [.range: "bytes=99999-"], .ok),
            ] as [(String, HTTPFields, HTTPResponse.Status)] {
                let uri = "\(Self.download)?path=\(path)&compression=tar"
                let answer = try await client.send(.get, uri, HTTPFields.ann.merging(fields))
                #expect(answer.status == status, "\(path) \(fields)")
                guard status == .ok else { continue }
                #expect(try TarReader.read(answer.body).names.last == (path == "folder" ? "folder/a" : "a"))
            }
        }
    }

    @Test("takes one of the places that its container has, and gives it back", arguments: Transport.allCases)
    func places(_ transport: Transport) async throws {
        let fixture = try RouteFixture(RouteFixture.Options())
        let routes = fixture.routes(StorageRequestContext.self)
        let application = Application(responder: routes, server: .storage(recall: routes.recall))
        try await fixture.run(application, transport) { client in
            try await client.put("hello", at: "a")
            let uri = "\(Self.download)?path=a&compression="
            let (archives, ann) = (routes.services.archives, try await fixture.principal("ann"))
            let own = try #require(fixture.storage.container(of: ann)?.id)
            var places = try (0..<ArchiveScratch.mostOfOne).map { _ in try archives.admit(of: own) }
            #expect(throws: StorageError.self) { try archives.admit(of: own) }
            let others = try (0..<ArchiveScratch.most - places.count).map { _ in
                try archives.admit(of: ContainerID())
            }
            #expect(throws: StorageError.self) { try archives.admit(of: ContainerID()) }
            for format in ArchiveFormat.allCases {
                let refused = try await client.send(.get, uri + format.rawValue, .ann)
                #expect(refused.headers[.retryAfter] == "10")
                #expect(refused.headers[.contentDisposition] == nil)
                let code = try refused.problem(.serviceUnavailable)
                #expect(code == "unavailable")
                let head = try await client.send(.head, uri + format.rawValue, .ann)
                #expect(head.status == .ok)
            }
            let whole = try await client.send(.get, "/api/files/a", .ann)
            #expect(whole.text == "hello")
            places.removeLast(8)
            for _ in 0..<16 {
                for format in ArchiveFormat.allCases {
                    let answer = try await client.send(.get, uri + format.rawValue, .ann)
                    #expect(try format.read(answer.body).names == ["a"])
                }
            }
            withExtendedLifetime((places, others)) {}
        }
    }

    @Test("of a file that is damaged is refused as the file itself", arguments: Transport.allCases)
    func damaged(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("hello", at: "a")
            let ann = try await client.fixture.principal("ann")
            let container = try #require(client.fixture.storage.container(of: ann)?.id)
            let record = try await client.fixture.storage.file(.path(container, try FilePath("a")))
            try await client.fixture.metadata.settle(.corrupt(try #require(record.revision).blob))
            for suffix in ["", "&compression=zip", "&compression=7z"] {
                let answer = try await client.send(.get, "\(Self.download)?path=a\(suffix)", .ann)
                #expect(answer.status == .internalServerError)
            }
        }
    }
}
