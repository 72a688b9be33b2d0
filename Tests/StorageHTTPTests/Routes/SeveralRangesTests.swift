import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("Several ranges")
struct SeveralRangesTests {
    /// The parts of a content, with their fields, as RFC 2046 section 5.1 frames them.
    private static func parts(of answer: ByteBuffer, _ type: String?) throws -> [(fields: [String], bytes: [UInt8])] {
        let prefix = "multipart/byteranges; boundary="
        let type = try #require(type)
        try #require(type.hasPrefix(prefix))
        let boundary = Array("\r\n--\(type.dropFirst(prefix.count))".utf8)
        var rest = ([13, 10] + Array(answer.readableBytesView))[...]
        var parts: [(fields: [String], bytes: [UInt8])] = []
        while let delimiter = rest.firstRange(of: boundary) {
            if let head = rest[..<delimiter.lowerBound].firstRange(of: Array("\r\n\r\n".utf8)) {
                let fields = String(decoding: rest[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
                parts.append((fields.map(String.init), Array(rest[head.upperBound..<delimiter.lowerBound])))
            } else {
                try #require(rest[..<delimiter.lowerBound].isEmpty)
            }
            rest = rest[delimiter.upperBound...]
        }
        #expect(Array(rest) == Array("--\r\n".utf8))
        return parts
    }

    /// What is asked for of ten bytes, and the parts that come.
    private static let ranges: [(String, parts: [Range<Int>])] = [
        ("bytes=0-1,4-5", [0..<2, 4..<6]), ("bytes=4-5,0-1", [4..<6, 0..<2]), ("bytes=0-0,-1", [0..<1, 9..<10]),
        ("bytes=0-1,2-3", [0..<2, 2..<4]), ("bytes=0-0,2-2,4-4,99-", [0..<1, 2..<3, 4..<5]),
    ]

    @Test("come as parts, each with its place", arguments: Transport.allCases)
    func parts(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            let tag = try await client.put("0123456789", at: "a.txt").tag()
            for (value, expected) in Self.ranges {
                let answer = try await client.send(
                    .get, "/api/files/a.txt", HTTPFields.ann.merging([.range: value, .acceptEncoding: "gzip"]))
                #expect(answer.status == .partialContent)
                #expect(answer.headers[.contentRange] == nil)
                #expect(answer.headers[.contentLength] == "\(answer.body.readableBytes)")
                #expect(try answer.tag() == tag)
                let parts = try Self.parts(of: answer.body, answer.headers[.contentType])
                try #require(parts.count == expected.count, "\(value)")
                for (part, range) in zip(parts, expected) {
                    #expect(part.bytes == Array(Array("0123456789".utf8)[range]))
                    #expect(
                        part.fields == [
                            "Content-Type: text/plain",
                            "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/10",
                        ])
                }
            }
        }
    }

    @Test("are the whole file where they overlap or are too many", arguments: Transport.allCases)
    func whole(_ transport: Transport) async throws {
        try await RouteFixture.with(transport) { client in
            try await client.put("0123456789", at: "a.txt")
            let many = "bytes=" + Array(repeating: "0-0", count: 17).joined(separator: ",")
            for value in ["bytes=0-4,4-5", "bytes=0-1,0-1", "bytes=0-,-1", many] {
                let answer = try await client.send(
                    .get, "/api/files/a.txt", HTTPFields.ann.merging([.range: value]))
                #expect(answer.status == .ok, "\(value)")
                #expect(answer.text == "0123456789")
            }
        }
    }

    @Test("of a large file come from disk one after the other", arguments: Transport.allCases)
    func largeFile(_ transport: Transport) async throws {
        let directory = try TemporaryStore()
        let blobs = try await LocalDiskBlobStore.open(directory: directory.path)
        let whole = ByteBuffer.random(count: 1_000_000, seed: 7)
        let expected = [900_000..<1_000_000, 0..<1, 100_000..<400_000, 1..<70_000]
        try await RouteFixture.with(transport, { $0.blobs = blobs }) { client in
            let put = try await client.client.executeRequest(
                uri: "/api/files/large.bin", method: .put, headers: .ann, body: whole)
            #expect(put.status == .noContent)
            let value = expected.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ",")
            let answer = try await client.send(
                .get, "/api/files/large.bin", HTTPFields.ann.merging([.range: "bytes=\(value)"]))
            #expect(answer.status == .partialContent)
            let parts = try Self.parts(of: answer.body, answer.headers[.contentType])
            let bytes = Array(whole.readableBytesView)
            #expect(parts.map(\.bytes) == expected.map { Array(bytes[$0]) })
        }
        await blobs.shutdown()
    }
}
