import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("The archive of a tree")
struct ArchiveTests {
    @Test("has everything below it, folders too, under its own name", arguments: ArchiveFormat.allCases)
    func whole(format: ArchiveFormat) async throws {
        let fixture = try await ArchiveFixture()
        try await fixture.put("1", at: "above/tree/a/b.txt")
        try await fixture.put("", at: "above/tree/a/nothing")
        try await fixture.put("2", at: "above/tree/a-b/c")
        try await fixture.put("3", at: "above/tree/\u{44F} \"x\"")
        try await fixture.makeFolder("above/tree/empty")
        try await fixture.fill(["above/tree!", "above/tree0/x", "above/tre", "tree/other"])
        let entries = try await fixture.pack("above/tree", format)
        #expect(
            entries.names == [
                "tree", "tree/a", "tree/a-b", "tree/a-b/c", "tree/a/b.txt", "tree/a/nothing", "tree/empty",
                "tree/\u{44F} \"x\"",
            ])
        #expect(entries.filter { $0.bytes == nil }.names == ["tree", "tree/a", "tree/a-b", "tree/empty"])
        #expect(entries.text("tree/a/b.txt") == "1")
        #expect(entries.text("tree/a-b/c") == "2")
        #expect(entries.text("tree/a/nothing") == "")
        for entry in entries {
            let path = "above/" + String(decoding: entry.name, as: UTF8.self)
            let record = try await fixture.storage.file(try fixture.selector(path))
            #expect(entry.modified == record.modifiedAt.seconds)
        }
    }

    @Test("of a file has that alone", arguments: ArchiveFormat.allCases)
    func file(format: ArchiveFormat) async throws {
        let fixture = try await ArchiveFixture()
        let bytes = ByteBuffer.random(count: 200_000, seed: 5)
        try await fixture.put(bytes, at: "folder/file.bin")
        let entries = try await fixture.pack("folder/file.bin", format)
        #expect(entries.names == ["file.bin"])
        #expect(entries.first?.bytes == bytes)
    }

    @Test("of a folder without anything in it has that alone", arguments: ArchiveFormat.allCases)
    func empty(format: ArchiveFormat) async throws {
        let fixture = try await ArchiveFixture()
        try await fixture.makeFolder("empty")
        let entries = try await fixture.pack("empty", format)
        #expect(entries.names == ["empty"])
        #expect(entries.first?.bytes == nil)
    }

    private static let many = (0..<1_200).map { "tree/\($0 % 7)/\($0)" }

    @Test("of more entries than a page has is complete", arguments: ArchiveFormat.allCases)
    func pages(format: ArchiveFormat) async throws {
        let fixture = try await ArchiveFixture()
        try await fixture.fill(Self.many)
        let entries = try await fixture.pack("tree", format)
        let expected = Self.many + ["tree"] + (0..<7).map { "tree/\($0)" }
        #expect(entries.names == expected.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    /// A tree of two pages whose first file is so large, and its kind so hard to compress, that it is sent at once.
    private func largeTree() async throws -> ArchiveFixture {
        let fixture = try await ArchiveFixture()
        try await fixture.put(ByteBuffer.random(count: 200_000, seed: 6), at: "tree/!.jpg")
        try await fixture.fill(Self.many)
        return fixture
    }

    @Test("has what comes while it is sent, and has not what goes", arguments: [ArchiveFormat.zip, .tar])
    func changing(format: ArchiveFormat) async throws {
        let fixture = try await largeTree()
        let entries = try await fixture.pack("tree", format) {
            try await fixture.put("late", at: "tree/9/late")
            try await fixture.put("too late", at: "tree/!!")
            try await fixture.storage.delete(try fixture.selector("tree/6"), recursively: true)
        }
        // The first page ends before it.
        let gone = Set(Self.many.filter { $0.hasPrefix("tree/6/") } + ["tree/6"])
        #expect(Set(entries.names).isDisjoint(with: gone))
        #expect(Set(entries.names).isSuperset(of: Set(Self.many).subtracting(gone)))
        #expect(entries.text("tree/9/late") == "late")
        #expect(entries.text("tree/!!") == nil)
    }

    @Test("is followed to where it is moved", arguments: ArchiveFormat.allCases, ["tree2", "a/b/c/d", "t"])
    func moved(format: ArchiveFormat, target: String) async throws {
        let fixture = try await largeTree()
        let entries = try await fixture.pack("tree", format) { try await fixture.move("tree", to: target) }
        #expect(entries.count == Self.many.count + 9)
        #expect(Set(entries.names).isSuperset(of: Self.many))
    }

    @Test("has no entry below a file", arguments: [ArchiveFormat.zip, .tar])
    func becameFolder(format: ArchiveFormat) async throws {
        let fixture = try await ArchiveFixture()
        try await fixture.put(ByteBuffer.random(count: 200_000, seed: 6), at: "tree/!.jpg")
        // The first page ends with tree/998.
        try await fixture.fill((0..<999).map { "tree/\(String(1_000 + $0).dropFirst())" } + ["tree/z"])
        let entries = try await fixture.pack("tree", format) {
            try await fixture.storage.delete(try fixture.selector("tree/998"))
            try await fixture.fill(["tree/998!", "tree/998/in", "tree/998/into/it", "tree/9980"])
        }
        #expect(entries.names.suffix(4) == ["tree/998", "tree/998!", "tree/9980", "tree/z"])
    }

    @Test("has a file as it was listed, as long as those bytes are there", arguments: ArchiveFormat.allCases)
    func overwritten(format: ArchiveFormat) async throws {
        let fixture = try await largeTree()
        try await fixture.put("old", at: "tree/!file")
        let entries = try await fixture.pack("tree", format) { try await fixture.put("newer", at: "tree/!file") }
        #expect(entries.text("tree/!file") == "old")
    }

    @Test("has a file as it is when the bytes that were listed are gone", arguments: [ArchiveFormat.zip, .tar])
    func overwrittenLongAgo(format: ArchiveFormat) async throws {
        let fixture = try await largeTree()
        let key = try await fixture.put("old", at: "tree/!file")
        let entries = try await fixture.pack("tree", format) {
            try await fixture.put("newer", at: "tree/!file")
            try await fixture.blobs.remove(key)
        }
        #expect(entries.text("tree/!file") == "newer")
    }

    @Test("lacks a file that was deleted and whose bytes are gone", arguments: [ArchiveFormat.zip, .tar])
    func deletedLongAgo(format: ArchiveFormat) async throws {
        let fixture = try await largeTree()
        let key = try await fixture.put("old", at: "tree/!file")
        let entries = try await fixture.pack("tree", format) {
            try await fixture.storage.delete(try fixture.selector("tree/!file"))
            try await fixture.blobs.remove(key)
        }
        #expect(entries.count == Self.many.count + 9)
    }

    @Test("breaks off where it promised bytes that are gone")
    func brokenPromise() async throws {
        let fixture = try await largeTree()
        let key = try await fixture.put("old", at: "tree/!file")
        await #expect(throws: StorageError.self) {
            _ = try await fixture.pack("tree", .sevenZip) {
                try await fixture.storage.delete(try fixture.selector("tree/!file"))
                try await fixture.blobs.remove(key)
            }
        }
    }

    @Test("breaks off at a file whose bytes are lost or known to be damaged", arguments: ArchiveFormat.allCases)
    func damaged(format: ArchiveFormat) async throws {
        for isKnown in [true, false] {
            let fixture = try await ArchiveFixture()
            let key = try await fixture.put("bytes", at: "tree/file")
            if isKnown {
                try await fixture.metadata.settle(.corrupt(key))
            } else {
                try await fixture.blobs.remove(key)
            }
            let error = await #expect(throws: StorageError.self) { _ = try await fixture.pack("tree", format) }
            #expect(error?.code == .corrupt)
        }
    }
}
