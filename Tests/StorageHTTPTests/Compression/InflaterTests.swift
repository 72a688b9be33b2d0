import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("Inflating")
struct InflaterTests {
    private static func gzipped(_ content: ByteBuffer) throws -> ByteBuffer {
        try Deflater(level: 6, form: .gzip).compress(content, isLast: true)
    }

    @Test("gives what was compressed", arguments: [0, 1, 65_535, 65_536, 65_537, 1_000_000])
    func contents(size: Int) throws {
        for content in [ByteBuffer.random(count: size, seed: 7), ByteBuffer(repeating: 0x61, count: size)] {
            #expect(try Inflater.content(of: Self.gzipped(content), limit: size) == content)
        }
    }

    @Test("ends at the limit")
    func limit() throws {
        let stream = try Self.gzipped(ByteBuffer(repeating: 0, count: 10_000_000))
        for limit in [0, 100_000, 9_999_999] {
            #expect(throws: StorageError.self, "\(limit)") { try Inflater.content(of: stream, limit: limit) }
        }
    }

    @Test("takes one whole stream and nothing else")
    func malformed() throws {
        let content = ByteBuffer.random(count: 5_000, seed: 9)
        let stream = Array(try Self.gzipped(content).readableBytesView)
        for length in stride(from: 0, to: stream.count, by: 97) {
            let cut = ByteBuffer(bytes: stream[..<length])
            #expect(throws: StorageError.self, "\(length)") { try Inflater.content(of: cut, limit: 10_000) }
        }
        for place in [0, 2, stream.count - 8, stream.count - 1] {
            var changed = stream
            changed[place] ^= 0xFF
            #expect(throws: StorageError.self, "\(place)") {
                try Inflater.content(of: ByteBuffer(bytes: changed), limit: 10_000)
            }
        }
        let raw = try Deflater(level: 6, form: .raw).compress(content, isLast: true)
        for other in [ByteBuffer(bytes: stream + [0]), ByteBuffer(bytes: stream + stream), raw] {
            #expect(throws: StorageError.self) { try Inflater.content(of: other, limit: 20_000) }
        }
    }
}
