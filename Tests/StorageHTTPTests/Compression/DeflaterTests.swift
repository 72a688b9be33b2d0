import NIOCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("Deflating")
struct DeflaterTests {
    private static func inflated(_ bytes: ByteBuffer, _ form: Deflater.Form) throws -> ByteBuffer? {
        switch form {
        case .raw: try ZipReader.inflated(bytes)
        case .gzip: gunzip(bytes)
        }
    }

    @Test(
        "gives bytes that inflate to what went in, however it came", arguments: Deflater.Form.allCases,
        [[1], [100], [65_536], [1_000_000], [1, 65_535, 262_144]])
    func chunks(form: Deflater.Form, sizes: [Int]) throws {
        for level in [0, 1, 4, 9] as [CInt] {
            let deflater = try Deflater(level: level, form: form)
            // The second content shows that the first left nothing behind.
            for (size, seed) in [(1, 1), (70_000, 2), (300_000, 3)] as [(Int, UInt64)] where size / sizes[0] < 100_000 {
                let whole = ByteBuffer.random(count: size, seed: seed)
                var (rest, output, turn) = (whole, ByteBuffer(), 0)
                while let chunk = rest.readSlice(length: min(sizes[turn % sizes.count], rest.readableBytes)),
                    chunk.readableBytes > 0
                {
                    output.writeImmutableBuffer(try deflater.compress(chunk, isLast: rest.readableBytes == 0))
                    turn += 1
                }
                #expect(try Self.inflated(output, form) == whole, "\(level)")
            }
            #expect(try Self.inflated(try deflater.compress(ByteBuffer(), isLast: true), form) == ByteBuffer())
        }
    }

    @Test("makes text smaller, and leaves what it is told to as it is", arguments: Deflater.Form.allCases)
    func levels(form: Deflater.Form) throws {
        let text = ByteBuffer(repeating: 0x61, count: 1_000_000)
        let fast = try Deflater(level: 4, form: form).compress(text, isLast: true)
        let none = try Deflater(level: 0, form: form).compress(text, isLast: true)
        #expect(fast.readableBytes < 10_000)
        #expect((1_000_000...1_001_000).contains(none.readableBytes))
    }
}
