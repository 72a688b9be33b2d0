import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("A 7z archive")
struct SevenZipWriterTests {
    private func archive(_ entries: [PackedEntry], takingEvery step: Int = 1) -> ByteBuffer {
        var (writer, contents) = (SevenZipWriter(), ByteBuffer())
        var lists = SevenZipWriter.List.allCases.map { _ in ByteBuffer() }
        func collect() {
            for list in SevenZipWriter.List.allCases { lists[list.rawValue].writeImmutableBuffer(writer.take(list)) }
        }
        for (index, packed) in entries.enumerated() {
            writer.add(packed.entry)
            contents.writeImmutableBuffer(packed.bytes)
            if index % step == 0 { collect() }
        }
        writer.finish()
        collect()
        var header = ByteBuffer()
        for piece in writer.header() {
            switch piece {
            case .bytes(let bytes): header.writeImmutableBuffer(bytes)
            case .list(let list): header.writeImmutableBuffer(lists[list.rawValue])
            }
        }
        var crc = CRC32()
        crc.update(header)
        var archive = writer.signatureHeader(headerSize: Int64(header.readableBytes), headerCRC: crc.value)
        #expect(archive.readableBytes == SevenZipWriter.signatureHeaderSize)
        archive.writeImmutableBuffer(contents)
        archive.writeImmutableBuffer(header)
        return archive
    }

    @Test("has what was put into it", arguments: 0..<20)
    func random(seed: UInt64) throws {
        let entries = PackedEntry.random(seed: seed)
        #expect(try SevenZipReader.read(archive(entries)) == entries.map(\.unpacked))
    }

    @Test("has names of every kind, folders and files without bytes")
    func special() throws {
        #expect(try SevenZipReader.read(archive(PackedEntry.special)) == PackedEntry.special.map(\.unpacked))
    }

    /// Which entries there are: folders, files without bytes, files with some.
    @Test("leaves out the lists that have no elements", arguments: ["d", "e", "f", "dd", "ee", "ff", "de", "df", "ef"])
    func kinds(_ kinds: String) throws {
        let entries = kinds.enumerated().map { index, kind in
            PackedEntry("\(index)", kind == "d" ? nil : ByteBuffer(string: kind == "e" ? "" : "text"))
        }
        #expect(try SevenZipReader.read(archive(entries)) == entries.map(\.unpacked))
    }

    @Test("has lists of bits of every length, whenever their parts are taken", arguments: 1...20)
    func bits(count: Int) throws {
        let entries = (0..<count).map { index in
            PackedEntry("\(index)", index % 3 == 0 ? nil : ByteBuffer(string: index % 3 == 1 ? "" : "x"))
        }
        for step in [1, 3, 1_000] {
            #expect(try SevenZipReader.read(archive(entries, takingEvery: step)) == entries.map(\.unpacked))
        }
    }

    @Test("has sizes of every length", arguments: [0x7F, 0x80, 0x3FFF, 0x4000, 0x1F_FFFF, 0x20_0000])
    func sizes(size: Int) throws {
        let entries = [
            PackedEntry("a", ByteBuffer.random(count: size, seed: 1)), PackedEntry("b", ByteBuffer(string: "x")),
        ]
        #expect(try SevenZipReader.read(archive(entries)) == entries.map(\.unpacked))
    }

    /// Numbers in the form of the format, from its own table.
    private static let numbers: [(Int64, [UInt8])] = [
        (0x7F, [0x7F]), (0x80, [0x80, 0x80]), (0x3FFF, [0xBF, 0xFF]), (0x4000, [0xC0, 0x00, 0x40]),
        (0x1F_FFFF, [0xDF, 0xFF, 0xFF]), (0x20_0000, [0xE0, 0x00, 0x00, 0x20]),
        (0x1_4000_0000, [0xF1, 0x00, 0x00, 0x00, 0x40]), (5 << 40, [0xFC, 0, 0, 0, 0, 0, 5]),
        (1 << 55, [0xFE, 0, 0, 0, 0, 0, 0, 0x80]), (1 << 56, [0xFF, 0, 0, 0, 0, 0, 0, 0, 1]),
    ]

    @Test("writes numbers in as few bytes as they take", arguments: numbers)
    func writesNumbers(value: Int64, bytes: [UInt8]) {
        var writer = SevenZipWriter()
        for name in ["a", "b"] {
            writer.add(
                ArchiveEntry(Array(name.utf8), .file(size: value), modifiedAt: Timestamp(microseconds: 0)))
        }
        #expect(Array(writer.take(.sizes).readableBytesView) == bytes)
        #expect(writer.size == 2 * value)
    }

    @Test("has times that its clock can say", arguments: [Int64.min, -11_644_473_600_000_000, 0, 1, Int64.max])
    func times(microseconds: Int64) throws {
        var writer = SevenZipWriter()
        writer.add(ArchiveEntry([0x61], .folder, modifiedAt: Timestamp(microseconds: microseconds)))
        var times = writer.take(.times)
        let ticks = try times.take(UInt64.self)
        switch microseconds {
        case ...(-11_644_473_600_000_000): #expect(ticks == 0)
        case Int64.max: #expect(ticks > UInt64(Int64.max) / 10 * 9 && ticks <= UInt64(Int64.max))
        default: #expect(ticks == 116_444_736_000_000_000 + UInt64(microseconds) * 10)
        }
    }
}
