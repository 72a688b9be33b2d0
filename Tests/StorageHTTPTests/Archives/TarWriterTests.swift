import NIOCore
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("A tar archive")
struct TarWriterTests {
    private func archive(_ entries: [PackedEntry]) -> ByteBuffer {
        var archive = ByteBuffer()
        for packed in entries {
            archive.writeImmutableBuffer(TarWriter.header(of: packed.entry))
            archive.writeImmutableBuffer(packed.bytes)
            archive.writeBytes(TarWriter.padding(behind: packed.entry.size))
        }
        archive.writeImmutableBuffer(TarWriter.end)
        return archive
    }

    @Test("has what was put into it", arguments: 0..<20)
    func random(seed: UInt64) throws {
        let entries = PackedEntry.random(seed: seed)
        #expect(try TarReader.read(archive(entries)) == entries.map(\.unpacked))
    }

    @Test("has names of every kind, folders and files without bytes")
    func special() throws {
        #expect(try TarReader.read(archive(PackedEntry.special)) == PackedEntry.special.map(\.unpacked))
        #expect(try TarReader.read(archive([])) == [])
    }

    private static func path(_ lengths: Int...) -> String {
        lengths.map { String(repeating: "n", count: $0) }.joined(separator: "/")
    }

    /// Names, and whether the old header has room for them.
    private static let names: [(String, isPlain: Bool)] = [
        ("a", true), (path(100), true), (path(101), false), (path(155, 100), true), (path(156, 100), false),
        (path(155, 101), false), (path(1, 100), true), (path(100, 1), true), (path(50, 50, 99), true),
        (path(100, 54, 100), true), (path(100, 55, 100), false), (path(10, 245), false), ("\u{E9}", false),
        ("a\u{44F}", false),
    ]

    @Test("says in an extended header only what the old one has no room for", arguments: names)
    func fits(name: String, isPlain: Bool) throws {
        for bytes in [nil, ByteBuffer()] {
            // A folder's slash takes a byte, too.
            let name = bytes == nil ? String(name.dropLast()) : name
            guard !name.isEmpty, !name.hasSuffix("/") else { continue }
            var header = TarWriter.header(of: PackedEntry(name, bytes).entry)
            let read = try #require(try TarReader.header(&header))
            #expect(read.name == Array(name.utf8) + (bytes == nil ? [ASCII.slash] : []))
            #expect(read.mode == (bytes == nil ? 0o755 : 0o644))
            if bytes != nil { #expect(read.extended == (isPlain ? [] : ["path"])) }
            #expect(header.readableBytes == 0)
        }
    }

    @Test(
        "has sizes from 8 GiB on in an extended header",
        arguments: [(0, false), (1, false), ((8 << 30) - 1, false), (8 << 30, true), (5 << 40, true)]
            as [(Int64, Bool)])
    func sizes(size: Int64, isLarge: Bool) throws {
        let entry = ArchiveEntry(Array("a".utf8), .file(size: size), modifiedAt: Timestamp(microseconds: 0))
        var header = TarWriter.header(of: entry)
        let read = try #require(try TarReader.header(&header))
        #expect(read.size == size)
        #expect(read.extended == (isLarge ? ["size"] : []))
        #expect((size + Int64(TarWriter.padding(behind: size).count)) % 512 == 0)
        #expect(TarWriter.padding(behind: size).count < 512)
    }

    @Test(
        "has times that the old header cannot say in an extended one",
        arguments: [
            (0, false), (1_780_000_000, false), (8_589_934_591, false), (8_589_934_592, true), (-1, true),
            (-99_999_999_999, true),
        ] as [(Int64, Bool)])
    func times(seconds: Int64, isExtended: Bool) throws {
        var header = TarWriter.header(of: PackedEntry("a", nil, seconds: seconds).entry)
        let read = try #require(try TarReader.header(&header))
        #expect(read.modified == seconds)
        #expect(read.extended == (isExtended ? ["mtime"] : []))
    }

    /// Lengths of names whose records are about to take one more digit to say how long they are.
    @Test("counts the length of a record with its own digits", arguments: Array(85...103) + Array(980...1_001))
    func records(length: Int) throws {
        let name = "\u{E9}" + String(repeating: "n", count: length - 2)
        var header = TarWriter.header(of: PackedEntry(name, ByteBuffer()).entry)
        #expect(try TarReader.header(&header)?.name == Array(name.utf8))
    }
}
