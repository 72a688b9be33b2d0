import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("A spool")
struct ArchiveSpoolTests {
    private let directory: TemporaryStore
    private let scratch: ArchiveScratch

    init() throws {
        directory = try TemporaryStore(isMade: true)
        scratch = ArchiveScratch(directory: directory.path)
    }

    @Test("gives back what was written, as often as it is asked", arguments: [0, 1, 65_535, 65_536, 65_537, 1_000_000])
    func roundTrip(size: Int) async throws {
        for step in [size, 100_000, 7_777] where step > 0 {
            let whole = ByteBuffer.random(count: size, seed: 7)
            var (spool, rest) = (ArchiveSpool(scratch), whole)
            while rest.readableBytes > 0, let part = rest.readSlice(length: min(step, rest.readableBytes)) {
                try await spool.append(part)
            }
            for _ in 0..<2 {
                let read = try await spool.bytes.collect(upTo: size)
                #expect(read == whole)
            }
            #expect(spool.bytes.length == Int64(size))
        }
    }

    @Test("of few bytes needs no directory, and one of many says so when it has none")
    func noDirectory() async throws {
        let scratch = ArchiveScratch(directory: directory.path + "/none")
        let read = try await spool(of: 60_000, scratch).bytes.collect(upTo: 60_000)
        #expect(read.readableBytes == 60_000)
        await #expect(throws: StorageError.self) { try await spool(of: 120_000, scratch) }
    }

    @discardableResult
    private func spool(of size: Int, _ scratch: ArchiveScratch) async throws -> ArchiveSpool {
        var spool = ArchiveSpool(scratch)
        try await spool.append(ByteBuffer(repeating: 1, count: size))
        return spool
    }
}
