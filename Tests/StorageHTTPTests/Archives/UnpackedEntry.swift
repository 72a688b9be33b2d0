import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

/// What a reader finds in an archive.
struct UnpackedEntry: Equatable, CustomStringConvertible {
    /// Without a slash at its end.
    let name: [UInt8]
    /// nil for a folder.
    let bytes: ByteBuffer?
    /// Whole seconds since 1970.
    let modified: Int64

    var description: String {
        "\(String(decoding: name, as: UTF8.self)): \(bytes.map { "\($0.readableBytes) bytes" } ?? "folder"), \(modified)"
    }
}

/// What an archive is not that its reader expects.
struct MalformedArchive: Error {
    let what: String

    init(_ what: String) { self.what = what }

    /// Ends the reading of an archive that is not as it should be.
    static func check(_ condition: Bool, _ what: String) throws {
        if !condition { throw MalformedArchive(what) }
    }
}

/// An entry to be packed, with its bytes.
struct PackedEntry {
    let entry: ArchiveEntry
    let bytes: ByteBuffer

    init(_ name: String, _ bytes: ByteBuffer?, isCompressible: Bool = true, seconds: Int64 = 1_780_000_000) {
        let content = bytes.map {
            ArchiveEntry.Content.file(size: Int64($0.readableBytes), isCompressible: isCompressible)
        }
        entry = ArchiveEntry(
            Array(name.utf8), content ?? .folder, modifiedAt: Timestamp(microseconds: seconds * 1_000_000))
        self.bytes = bytes ?? ByteBuffer()
    }

    var unpacked: UnpackedEntry {
        UnpackedEntry(
            name: entry.name, bytes: entry.isFolder ? nil : bytes, modified: entry.modifiedAt.seconds)
    }

    /// Names and sizes that writers of archives are known to get wrong.
    static let special: [PackedEntry] = [
        PackedEntry("folder", nil), PackedEntry("folder/empty", nil), PackedEntry("folder/nothing", ByteBuffer()),
        PackedEntry("folder/one", ByteBuffer(string: "1"), isCompressible: false),
        PackedEntry("folder/a b\"c'd", ByteBuffer(string: "quoted")),
        PackedEntry("folder/\u{44F}\u{1F600}e\u{301}", ByteBuffer(string: "text")),
        PackedEntry("folder/" + String(repeating: "n", count: 255), ByteBuffer.random(count: 511, seed: 1)),
        PackedEntry("folder/" + String(repeating: "\u{44F}", count: 127), ByteBuffer.random(count: 512, seed: 2)),
        PackedEntry(
            "folder" + String(repeating: "/" + String(repeating: "s", count: 100), count: 10),
            ByteBuffer.random(count: 513, seed: 3)),
        PackedEntry("folder/\(String(repeating: "p", count: 93))", nil),
        PackedEntry("folder/\(String(repeating: "q", count: 92))/r", ByteBuffer(string: "split")),
        PackedEntry("folder/text", ByteBuffer(repeating: 0x61, count: 1_000_000)),
        PackedEntry("folder/noise", ByteBuffer.random(count: 300_000, seed: 4), isCompressible: false),
    ]

    /// A tree that looks random, the same for the same seed.
    static func random(seed: UInt64) -> [PackedEntry] {
        var generator = SeededGenerator(seed: seed)
        let letters = ["a", "B", " ", ".", "-", "\u{E9}", "\u{44F}", "\u{65E5}", "\u{1F4C1}", "'", "%"]
        return (0..<Int.random(in: 1...40, using: &generator)).map { number in
            let length = Int.random(in: 0...60, using: &generator)
            let name = (0..<length).map { _ in letters.randomElement(using: &generator) ?? "" }.joined()
            let size = Int.random(in: 0...([0, 10, 70_000].randomElement(using: &generator) ?? 0), using: &generator)
            let isFolder = UInt8.random(in: 0...4, using: &generator) == 0
            return PackedEntry(
                "root/\(number)\(name)", isFolder ? nil : ByteBuffer.random(count: size, seed: generator.next()),
                isCompressible: Bool.random(using: &generator),
                seconds: Int64.random(in: 315_532_800...2_000_000_000, using: &generator))
        }
    }
}
