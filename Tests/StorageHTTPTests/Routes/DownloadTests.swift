import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("Downloading")
struct DownloadTests {
    private static let content = "0123456789"
    private static let uris = ["/api/files/a.txt", "/api/v1/files/download?path=a.txt"]

    /// Runs a test with a file of ten bytes, by each of its addresses.
    private func withFile(
        _ transport: Transport,
        _ body: @Sendable (RouteClient, _ uri: String, _ tag: String, _ date: String) async throws -> Void
    ) async throws {
        try await RouteFixture.with(transport) { client in
            let tag = try await client.put(Self.content, at: "a.txt").tag()
            let date = try #require(try await client.send(.head, "/api/files/a.txt", .ann).headers[.lastModified])
            for uri in Self.uris { try await body(client, uri, tag, date) }
        }
    }

    @Test("tells what the file is and makes it harmless", arguments: Transport.allCases)
    func fields(_ transport: Transport) async throws {
        try await withFile(transport) { client, uri, tag, date in
            let answer = try await client.send(.get, uri, .ann)
            #expect(answer.status == .ok)
            #expect(answer.text == Self.content)
            let expected: HTTPFields = [
                .contentLength: "10", .contentType: "text/plain", .eTag: tag, .lastModified: date,
                .acceptRanges: "bytes",
                .contentDisposition: "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt",
                .xContentTypeOptions: "nosniff", .contentSecurityPolicy: "default-src 'none'; sandbox",
                try #require(HTTPField.Name("Cross-Origin-Resource-Policy")): "same-origin",
                .cacheControl: "private, no-cache",
                .vary: "Authorization, X-Auth-Token",
            ]
            for field in expected {
                #expect(answer.headers[values: field.name] == [field.value], "\(field.name)")
            }
            #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))
            #expect(HTTPDate.parse(date, now: 0) != nil)
        }
    }

    @Test("shows inline only what cannot run script", arguments: Transport.allCases)
    func inline(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for (name, isSafe) in [
                ("a.png", true), ("a.jpg", true), ("a.txt", true), ("a.html", false), ("a.svg", false),
                ("a.xml", false),
                ("a.js", false), ("a.xhtml", false), ("a", false),
            ] {
                try await client.put("x", at: name)
                for (value, wants) in [("1", true), ("0", false), ("", false), ("true", false), ("2", false)] {
                    let answer = try await client.send(.get, "/api/files/\(name)?inline=\(value)", .ann)
                    let disposition = try #require(answer.headers[.contentDisposition])
                    #expect(disposition.hasPrefix("inline") == (isSafe && wants), "\(name) \(value)")
                    #expect(answer.headers[.contentSecurityPolicy] == "default-src 'none'; sandbox")
                }
            }
        }
    }

    @Test("says a name so that no header can break", arguments: Transport.allCases)
    func dispositions(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            for (name, value) in [
                ("a b", "filename=\"a b\"; filename*=UTF-8''a%20b"),
                ("\"\\%", "filename=\"___\"; filename*=UTF-8''%22%5C%25"),
                ("\u{44f}", "filename=\"_\"; filename*=UTF-8''%D1%8F"),
                ("a;b=c", "filename=\"a;b=c\"; filename*=UTF-8''a%3Bb%3Dc"),
            ] {
                try await client.put("x", at: "folder/\(name)")
                let answer = try await client.send(.get, "/api/files/folder/\(query(name))", .ann)
                #expect(answer.headers[.contentDisposition] == "attachment; \(value)")
            }
        }
    }

    private static let past = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let future = "Sun, 06 Nov 2094 08:49:37 GMT"

    /// Conditions and their status; `now` stands for the current tag and `date` for the time of the last change.
    private static let conditions: [(HTTPFields, HTTPResponse.Status)] = [
        ([.ifNoneMatch: "now"], .notModified), ([.ifNoneMatch: "W/now"], .notModified),
        ([.ifNoneMatch: "*"], .notModified),
        ([.ifNoneMatch: "\"x\", now"], .notModified), ([.ifNoneMatch: "\"x\""], .ok),
        ([.ifModifiedSince: "date"], .notModified), ([.ifModifiedSince: future], .notModified),
        ([.ifModifiedSince: past], .ok), ([.ifModifiedSince: "nonsense"], .ok),
        ([.ifNoneMatch: "\"x\"", .ifModifiedSince: "date"], .ok),
        ([.ifNoneMatch: "now", .ifModifiedSince: past], .notModified),
        ([.ifMatch: "now"], .ok), ([.ifMatch: "*"], .ok), ([.ifMatch: "\"x\""], .preconditionFailed),
        ([.ifMatch: "W/now"], .preconditionFailed), ([.ifMatch: "\"x\", now"], .ok),
        ([.ifUnmodifiedSince: "date"], .ok), ([.ifUnmodifiedSince: past], .preconditionFailed),
        ([.ifUnmodifiedSince: "nonsense"], .ok), ([.ifMatch: "now", .ifUnmodifiedSince: past], .ok),
        ([.ifMatch: "now", .ifNoneMatch: "now"], .notModified),
        ([.ifMatch: "\"x\"", .ifNoneMatch: "now"], .preconditionFailed),
        ([.ifMatch: "now\""], .badRequest), ([.ifNoneMatch: "x"], .badRequest),
        ([.ifNoneMatch: "now", .range: "bytes=0-1"], .notModified),
        ([.ifMatch: "now", .range: "bytes=0-1"], .partialContent),
        ([.ifNoneMatch: "now", .range: "bytes=90-"], .notModified),
    ]

    private static func fill(_ fields: HTTPFields, _ tag: String, _ date: String) -> HTTPFields {
        HTTPFields(
            fields.map { field in
                let value = field.value == "date" ? date : field.value.replacing("now", with: tag)
                return HTTPField(name: field.name, value: value)
            })
    }

    @Test("keeps to its conditions", arguments: Transport.allCases)
    func conditions(_ transport: Transport) async throws {
        try await withFile(transport) { client, uri, tag, date in
            for (fields, status) in Self.conditions {
                for method in [HTTPRequest.Method.get, .head] {
                    let filled = Self.fill(fields, tag, date)
                    let answer = try await client.send(method, uri, HTTPFields.ann.merging(filled))
                    let expected = method == .head && status == .partialContent ? .ok : status
                    #expect(answer.status == expected, "\(method) \(fields)")
                    guard status == .notModified else { continue }
                    #expect(answer.body.readableBytes == 0)
                    #expect(answer.headers[.eTag] == tag)
                    #expect(answer.headers[.cacheControl] == "private, no-cache")
                    #expect(answer.headers[.vary] != nil)
                    #expect(answer.headers[.contentType] == nil)
                }
            }
        }
    }

    /// What is asked for, and the part that comes; nil for the whole file.
    private static let ranges: [(String, part: Range<Int>?)] = [
        ("bytes=0-0", 0..<1), ("bytes=0-4", 0..<5), ("bytes=5-", 5..<10), ("bytes=9-9", 9..<10), ("bytes=-3", 7..<10),
        ("bytes=-10", 0..<10), ("bytes=-99", 0..<10), ("bytes=0-9", 0..<10), ("bytes=0-99", 0..<10),
        ("bytes=0-", 0..<10),
        ("bytes=4-99999999999999999999999", 4..<10), ("BYTES=1-2", 1..<3), ("bytes= 1-2 ", 1..<3),
        ("bytes=1-2,", 1..<3),
        ("bytes=1-2, 99-", 1..<3),
        ("bytes=", nil), ("bytes=2-1", nil), ("bytes=a-b", nil), ("bytes=+1-2", nil), ("bytes=1-2-3", nil),
        ("bytes 0-1", nil), ("lines=0-1", nil), ("0-1", nil), ("", nil), ("bytes=-", nil), ("bytes=0-1;x", nil),
        ("bytes=0-5,4-9", nil),
    ]

    @Test("sends the part that is asked for, or the whole where that is none", arguments: Transport.allCases)
    func ranges(_ transport: Transport) async throws {
        try await withFile(transport) { client, uri, _, _ in
            for (range, part) in Self.ranges {
                let answer = try await client.send(.get, uri, HTTPFields.ann.merging([.range: range]))
                let whole = Array(Self.content.utf8)
                #expect(answer.status == (part == nil ? .ok : .partialContent), "\(range)")
                #expect(Array(answer.text.utf8) == part.map { Array(whole[$0]) } ?? whole, "\(range)")
                let expected = part.map { "bytes \($0.lowerBound)-\($0.upperBound - 1)/10" }
                #expect(answer.headers[.contentRange] == expected, "\(range)")
                #expect(answer.headers[.contentLength] == "\(part?.count ?? 10)", "\(range)")
            }
        }
    }

    @Test("refuses a part that lies beyond the end", arguments: Transport.allCases)
    func unsatisfiable(_ transport: Transport) async throws {
        try await withFile(transport) { client, uri, _, _ in
            for range in [
                "bytes=10-", "bytes=10-10", "bytes=99-", "bytes=-0", "bytes=10-,99-", "bytes=99999999999999999999-",
            ] {
                let answer = try await client.send(.get, uri, HTTPFields.ann.merging([.range: range]))
                let code = try answer.problem(.rangeNotSatisfiable)
                #expect(code == "range_not_satisfiable")
                #expect(answer.headers[.contentRange] == "bytes */10", "\(range)")
            }
        }
    }

    @Test("sends a part only of the file that the client has the rest of", arguments: Transport.allCases)
    func ifRange(_ transport: Transport) async throws {
        try await withFile(transport) { client, uri, tag, date in
            for (value, isPart) in [
                (tag, true), (date, true), ("W/\(tag)", false), ("\"x\"", false), (Self.past, false),
                (Self.future, false),
                ("nonsense", false), ("", false), ("*", false),
            ] {
                for (range, status) in [
                    ("bytes=0-1", HTTPResponse.Status.partialContent), ("bytes=99-", .rangeNotSatisfiable),
                ] {
                    let fields: HTTPFields = [.range: range, .ifRange: value]
                    let answer = try await client.send(.get, uri, HTTPFields.ann.merging(fields))
                    #expect(answer.status == (isPart ? status : .ok), "\(value) \(range)")
                }
            }
        }
    }

    @Test("ignores a range on HEAD, where it means nothing", arguments: Transport.allCases)
    func rangeOfHead(_ transport: Transport) async throws {
        try await withFile(transport) { client, uri, _, _ in
            for range in ["bytes=0-1", "bytes=99-"] {
                let answer = try await client.send(.head, uri, HTTPFields.ann.merging([.range: range]))
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentLength] == "10")
                #expect(answer.headers[.contentRange] == nil)
            }
        }
    }

    @Test("has the name of the path, and that of a revision the one it was sent with", arguments: Transport.allCases)
    func names(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let form = [ReadPart("file", "sent.txt", "hello")]
            let sent = try await client.sendForm("/api/v1/files/upload?path=/kept.csv", .ann, form)
            #expect(sent.status == .created)
            let revision = try sent.tag().dropFirst().dropLast()
            for (uri, name) in [
                ("/api/files/kept.csv", "kept.csv"), ("/api/files/kept.csv?rev=\(revision)", "kept.csv"),
                ("/api/files/kept.csv?rev=x", "kept.csv"), ("/api/v1/files/download?path=kept.csv", "kept.csv"),
                ("/api/v1/files/download?path=kept.csv&rev=\(revision)", "sent.txt"),
            ] {
                let answer = try await client.send(.get, uri, .ann)
                #expect(answer.text == "hello")
                #expect(answer.headers[.contentDisposition]?.contains("filename=\"\(name)\"") == true, "\(uri)")
            }
        }
    }

    @Test("of a file without bytes has no part", arguments: Transport.allCases)
    func empty(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("", at: "empty")
            for (range, status) in [
                (nil, .ok), ("bytes=0-", .rangeNotSatisfiable), ("bytes=0-0", .rangeNotSatisfiable), ("bytes=-1", .ok),
            ] as [(String?, HTTPResponse.Status)] {
                let fields: HTTPFields = range.map { [.range: $0] } ?? [:]
                let answer = try await client.send(.get, "/api/files/empty", HTTPFields.ann.merging(fields))
                #expect(answer.status == status, "\(range ?? "whole")")
                if status == .ok { #expect(answer.headers[.contentLength] == "0") }
            }
        }
    }

    @Test("of a large file on disk is whole, and each part is the right one", arguments: Transport.allCases)
    func largeFile(_ transport: Transport) async throws {
        let directory = try TemporaryStore()
        let blobs = try await LocalDiskBlobStore.open(directory: directory.path)
        let size = 1_000_000
        let whole = ByteBuffer.random(count: size, seed: 11)
        try await RouteFixture.with(transport, { $0.blobs = blobs }) { client in
            let put = try await client.client.executeRequest(
                uri: "/api/files/large.bin", method: .put, headers: .ann, body: whole)
            #expect(put.status == .noContent)
            for uri in ["/api/files/large.bin", "/api/v1/files/download?path=large.bin"] {
                let answer = try await client.send(.get, uri, .ann)
                #expect(answer.body == whole)
                for part in [0..<1, 0..<70_000, 1..<999_999, 65_535..<65_537, 300_000..<1_000_000, 999_999..<1_000_000]
                {
                    let range = "bytes=\(part.lowerBound)-\(part.upperBound - 1)"
                    let answer = try await client.send(.get, uri, HTTPFields.ann.merging([.range: range]))
                    #expect(answer.status == .partialContent)
                    #expect(answer.body == whole.getSlice(at: part.lowerBound, length: part.count), "\(range)")
                }
                let head = try await client.send(.head, uri, .ann)
                #expect(head.headers[.contentLength] == "\(size)")
            }
        }
        await blobs.shutdown()
    }
}
