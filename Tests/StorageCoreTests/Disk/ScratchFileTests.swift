import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("A scratch file")
struct ScratchFileTests {
    @Test("finds a place with the system, where nobody names one")
    func system() throws {
        #expect(ScratchFile.systemDirectory.hasPrefix("/"))
        let file = try ScratchFile(in: ScratchFile.systemDirectory)
        try file.append(ByteBuffer(string: "hello"))
        #expect(try file.bytes(at: 1, count: 3) == ByteBuffer(string: "ell"))
    }

    @Test("gives back what was appended, from anywhere")
    func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let file = try ScratchFile(in: directory.path)
        let whole = ByteBuffer.random(count: 300_000, seed: 1)
        var rest = whole
        while let part = rest.readSlice(length: min(70_001, rest.readableBytes)), part.readableBytes > 0 {
            try file.append(part)
        }
        for range in [0..<300_000, 0..<1, 70_000..<70_002, 299_999..<300_000, 5..<5] {
            let expected = whole.getSlice(at: range.lowerBound, length: range.count)
            #expect(try file.bytes(at: Int64(range.lowerBound), count: range.count) == expected)
        }
        #expect(throws: StorageError.self) { _ = try file.bytes(at: 299_999, count: 2) }
    }

    @Test("has no name, and is gone with its last reference")
    func nameless() throws {
        let directory = try TemporaryDirectory()
        do {
            let file = try ScratchFile(in: directory.path)
            try file.append(ByteBuffer(string: "bytes"))
            #expect(try directory.files.isEmpty)
            #expect(try directory.openFiles.count == 1)
        }
        #expect(try directory.openFiles.isEmpty)
    }

    @Test("cannot be made where there is no directory")
    func noDirectory() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: StorageError.self) { _ = try ScratchFile(in: directory.path + "/none") }
    }
}
