import NIOCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("The content of an entry of a ZIP archive")
struct ZipContentTests {
    @Test("is counted as it is deflated, in whatever chunks it comes", arguments: [1_000, 65_536, 300_000])
    func counted(step: Int) throws {
        let whole = ByteBuffer.random(count: 300_000, seed: 1)
        let deflater = try Deflater(level: 4, form: .raw)
        var (content, rest, output) = (ZipContent(), whole, ByteBuffer())
        while let chunk = rest.readSlice(length: min(step, rest.readableBytes)), chunk.readableBytes > 0 {
            output.writeImmutableBuffer(
                try content.deflate(chunk, isLast: rest.readableBytes == 0, by: deflater))
        }
        #expect(try ZipReader.inflated(output) == whole)
        var crc = CRC32()
        crc.update(whole)
        #expect(
            content == ZipContent(crc: crc.value, size: 300_000, compressedSize: Int64(output.readableBytes)))
    }

    @Test("has the checksum that everybody knows")
    func checksum() {
        var crc = CRC32()
        #expect(crc.value == 0)
        for piece in ["1234", "", "56789"] { crc.update(ByteBuffer(string: piece)) }
        #expect(crc.value == 0xCBF4_3926)
        var rest = CRC32(value: crc.value)
        crc.update(ByteBuffer(string: "more"))
        rest.update(ByteBuffer(string: "more"))
        #expect(rest.value == crc.value)
    }
}
