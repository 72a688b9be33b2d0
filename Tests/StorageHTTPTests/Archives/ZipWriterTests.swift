import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("A ZIP archive")
struct ZipWriterTests {
    private func archive(_ entries: [PackedEntry]) throws -> ByteBuffer {
        let (fast, none) = (try Deflater(level: 4, form: .raw), try Deflater(level: 0, form: .raw))
        var zip = ZipWriter()
        var (archive, directory) = (ByteBuffer(), ByteBuffer())
        for packed in entries {
            archive.writeImmutableBuffer(zip.begin(packed.entry))
            var content: ZipContent?
            if packed.bytes.readableBytes > 0 {
                let deflater = packed.entry.isCompressible ? fast : none
                var counted = ZipContent()
                archive.writeImmutableBuffer(try counted.deflate(packed.bytes, isLast: true, by: deflater))
                content = counted
            }
            archive.writeImmutableBuffer(zip.end(content))
            directory.writeImmutableBuffer(zip.takeDirectory())
        }
        archive.writeImmutableBuffer(directory)
        archive.writeImmutableBuffer(zip.finish())
        return archive
    }

    @Test("has what was put into it, and says the same in all of its headers", arguments: 0..<20)
    func random(seed: UInt64) throws {
        let entries = PackedEntry.random(seed: seed)
        #expect(try ZipReader.read(try archive(entries)) == entries.map(\.unpacked))
    }

    @Test("has names of every kind, folders and files without bytes")
    func special() throws {
        #expect(try ZipReader.read(try archive(PackedEntry.special)) == PackedEntry.special.map(\.unpacked))
        #expect(try ZipReader.read(try archive([])) == [])
    }

    @Test("has its count in 64 bits when it does not fit 16")
    func manyEntries() throws {
        var zip = ZipWriter()
        let entry = PackedEntry("a", nil).entry
        for count in 1...65_536 {
            _ = zip.begin(entry)
            _ = zip.end(nil)
            _ = zip.takeDirectory()
            guard count >= 65_534 else { continue }
            var ended = zip
            let end = ended.finish()
            let isLarge = count >= 65_535
            #expect(end.readableBytes == (isLarge ? 56 + 20 + 22 : 22))
            #expect(end.getInteger(at: end.readableBytes - 12, endianness: .little) == UInt16(min(count, 65_535)))
            #expect(!isLarge || end.getInteger(at: 32, endianness: .little) == UInt64(count))
        }
    }

    /// The size of a file, and whether it takes 64 bits: from somewhat below 4 GiB on, because what does not compress grows.
    private static let sizes: [(Int64, isLarge: Bool)] = [
        (1, false), (0xEFFF_FFFF, false), (0xF000_0000, true), (0xFFFF_FFFE, true), (0xFFFF_FFFF, true),
        (0x1_0000_0000, true), (5 << 40, true),
    ]

    @Test("has sizes in 64 bits where they may not fit 32", arguments: sizes)
    func largeFiles(size: Int64, isLarge: Bool) throws {
        var zip = ZipWriter()
        let entry = ArchiveEntry(Array("a".utf8), .file(size: size), modifiedAt: Timestamp(microseconds: 0))
        let header = zip.begin(entry)
        let content = ZipContent(crc: 7, size: size, compressedSize: size + 100)
        var descriptor = zip.end(content)
        #expect(descriptor.readableBytes == (isLarge ? 24 : 16))
        #expect(header.getInteger(at: 4, endianness: .little) == UInt16(isLarge ? 45 : 20))
        _ = try descriptor.take(UInt32.self, UInt32.self)
        if isLarge {
            let told = try descriptor.take(UInt64.self)
            #expect(told == size + 100)
        } else {
            let told = try descriptor.take(UInt32.self)
            #expect(told == size + 100)
        }
        let record = try #require(try ZipReader.records(in: zip.takeDirectory()).first)
        #expect(record.isLarge == isLarge)
        #expect(record.size == size && record.compressedSize == size + 100 && record.crc == 7 && record.offset == 0)
    }

    @Test(
        "has places in 64 bits where they do not fit 32", arguments: [0xFFFF_FFF0, 0x1_0000_0000, 5 << 40] as [Int64])
    func farEntries(size: Int64) throws {
        var zip = ZipWriter()
        let moment = Timestamp(microseconds: 0)
        let header = zip.begin(ArchiveEntry(Array("a".utf8), .file(size: size), modifiedAt: moment))
        let descriptor = zip.end(ZipContent(crc: 7, size: size, compressedSize: size))
        let second = zip.begin(ArchiveEntry(Array("b".utf8), .file(size: 1), modifiedAt: moment))
        _ = zip.end(ZipContent(crc: 7, size: 1, compressedSize: 3))
        let directory = zip.takeDirectory()
        let records = try ZipReader.records(in: directory)
        let offset = UInt64(size) + UInt64(header.readableBytes + descriptor.readableBytes)
        #expect(records.map(\.offset) == [0, offset])
        #expect(records[1].isLarge)
        #expect(records[1].version == 45 && records[1].size == 1 && records[1].compressedSize == 3)
        // Its own sizes fit: they come behind its bytes in 32 bits.
        #expect(second.getInteger(at: 22, endianness: .little) == UInt32(0))

        let directorySize = directory.readableBytes
        var end = zip.finish()
        _ = try end.take(UInt32.self, UInt64.self, UInt32.self, UInt32.self, UInt32.self)
        let (_, count, size, place) = try end.take(UInt64.self, UInt64.self, UInt64.self, UInt64.self)
        #expect(count == 2 && size == directorySize)
        #expect(place == offset + UInt64(second.readableBytes) + 3 + 16)
        let (_, _, locator, disks) = try end.take(UInt32.self, UInt32.self, UInt64.self, UInt32.self)
        #expect(locator == place + size && disks == 1)
    }

    /// Seconds since 1970 as MS-DOS has them, and whether the extended timestamp can say them.
    private static let times: [(Int64, date: (Int, Int, Int), time: (Int, Int, Int), isExact: Bool)] = [
        (1_780_000_001, (2026, 5, 28), (20, 26, 40), true), (315_532_800, (1980, 1, 1), (0, 0, 0), true),
        (0, (1980, 1, 1), (0, 0, 0), true), (-1, (1980, 1, 1), (0, 0, 0), false),
        (2_147_483_647, (2038, 1, 19), (3, 14, 6), true), (2_147_483_648, (2038, 1, 19), (3, 14, 8), false),
        (4_354_819_199, (2107, 12, 31), (23, 59, 58), false), (99_999_999_999, (2107, 12, 31), (23, 59, 58), false),
        (-99_999_999_999, (1980, 1, 1), (0, 0, 0), false),
    ]

    @Test("has times in UTC, to the second where that is possible", arguments: times)
    func dates(seconds: Int64, date: (Int, Int, Int), time: (Int, Int, Int), isExact: Bool) throws {
        var zip = ZipWriter()
        _ = zip.begin(PackedEntry("a", nil, seconds: seconds).entry)
        _ = zip.end(nil)
        let record = try #require(try ZipReader.records(in: zip.takeDirectory()).first)
        #expect(Int(record.dosDate) == (date.0 - 1_980) << 9 | date.1 << 5 | date.2)
        #expect(Int(record.dosTime) == time.0 << 11 | time.1 << 5 | time.2 / 2)
        #expect(record.modified == (isExact ? seconds : nil))
    }

    @Test("says that names are UTF-8, and what may be done with an entry")
    func attributes() throws {
        var zip = ZipWriter()
        for packed in [PackedEntry("a", nil), PackedEntry("a/b", ByteBuffer())] {
            _ = zip.begin(packed.entry)
            _ = zip.end(nil)
        }
        let records = try ZipReader.records(in: zip.takeDirectory())
        #expect(records.map(\.name) == [Array("a/".utf8), Array("a/b".utf8)])
        #expect(records.map(\.flags) == [1 << 11, 1 << 11])
        #expect(records.map(\.method) == [0, 0])
        #expect(records.map(\.attributes) == [0o040755 << 16 | 0x10, 0o100644 << 16])
    }
}
