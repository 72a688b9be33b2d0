import Glibc
import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("The page cache")
struct PageCacheTests {
    @Test(
        "has all of what was fetched, wherever it begins",
        arguments: [0..<1, 0..<4_194_304, 12_345..<9_000_001] as [ByteRange])
    func fetched(range: ByteRange) throws {
        let directory = try TemporaryDirectory()
        let descriptor = open("\(directory.path)/file", O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let whole = ByteBuffer.random(count: 12 << 20, seed: 1)
        let written = whole.withUnsafeReadableBytes { write(descriptor, $0.baseAddress, $0.count) }
        try #require(written == 12 << 20)
        for _ in 0..<2 {
            // Where the file system can do that.
            try #require(fsync(descriptor) == 0 && posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0)
            PageCache.fetch(range, of: descriptor)
            let pages = try Self.pages(of: descriptor, size: 12 << 20)
            #expect(pages[Int(range.lowerBound) / Self.page...Int(range.upperBound - 1) / Self.page].allSatisfy { $0 })
        }
    }

    private static let page = sysconf(CInt(_SC_PAGESIZE))

    /// Which pages of a file are in memory, as the kernel says where nothing is read.
    private static func pages(of descriptor: CInt, size: Int) throws -> [Bool] {
        let start = try #require(mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0))
        try #require(start != MAP_FAILED)
        defer { munmap(start, size) }
        var pages = [UInt8](repeating: 0, count: (size + page - 1) / page)
        try #require(mincore(start, size, &pages) == 0)
        return pages.map { $0 & 1 == 1 }
    }

    @Test("has what was just written")
    func written() throws {
        let directory = try TemporaryDirectory()
        let descriptor = open("\(directory.path)/file", O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let whole = ByteBuffer.random(count: 3 << 20, seed: 1)
        let written = whole.withUnsafeReadableBytes { write(descriptor, $0.baseAddress, $0.count) }
        try #require(written == 3 << 20)
        #expect(PageCache.holds(0..<3 << 20, of: descriptor))
        #expect(!PageCache.holds(0..<4 << 20, of: descriptor))
    }

    @Test("is asked for nothing beyond the end of a file, or of none")
    func ends() throws {
        let directory = try TemporaryDirectory()
        let descriptor = open("\(directory.path)/file", O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(ftruncate(descriptor, 10_000) == 0)
        PageCache.fetch(0..<1 << 30, of: descriptor)
        PageCache.fetch(5..<5, of: descriptor)
        PageCache.fetch(0..<10, of: -1)
        #expect(PageCache.holds(5..<5, of: descriptor))
        #expect(!PageCache.holds(0..<1 << 20, of: descriptor))
        #expect(!PageCache.holds(0..<10, of: -1))
    }
}
