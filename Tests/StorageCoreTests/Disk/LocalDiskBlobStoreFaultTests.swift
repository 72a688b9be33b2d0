import Foundation
import NIOCore
import Testing

@testable import StorageCore

@Suite("A store on disk under stress")
struct LocalDiskBlobStoreFaultTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    static let cuts: [[Int]] = [[], [1], [65_536], [70_000], [300_000, 300_000], Array(repeating: 262_144, count: 12)]

    @Test(
        "a body that throws leaves no file and no descriptor, and its error comes through", arguments: cuts,
        [true, false])
    func bodyThrows(chunks: [Int], unnamed: Bool) async throws {
        let store = try await LocalDiskBlobStore.open(directory, unnamed: unnamed)
        let size = Int64(chunks.reduce(0, +))
        for length in [nil, size, size + 1] {
            await #expect(throws: ClientLeft.self) {
                try await store.stage(.chunks(chunks, length: length, failing: true))
            }
        }
        #expect(try directory.files == ["store.id"])
        #expect(try directory.openFiles.isEmpty)
    }

    @Test("a body of another length than it says is refused, and leaves nothing", arguments: cuts, [-1, 1, 1_000_000])
    func wrongLength(chunks: [Int], difference: Int64) async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let size = Int64(chunks.reduce(0, +))
        let code = await codeThrown {
            _ = try await store.stage(.chunks(chunks, length: max(size + difference, size == 0 ? 1 : 0)))
        }
        #expect(code == .unprocessable)
        #expect(try directory.files == ["store.id"])
        #expect(try directory.openFiles.isEmpty)
    }

    @Test("a body that does not fit is refused before its first byte is read")
    func noRoom() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let pulls = Counter()
        for length in [Int64.max, Int64.max - 1, 1 << 60] {
            let body = ByteStream(length: length, isReplayable: false) {
                {
                    pulls.increment()
                    return nil
                }
            }
            let code = await codeThrown { _ = try await store.stage(body) }
            #expect(code == .insufficientStorage)
        }
        #expect(pulls.value == 0)
    }

    @Test("the reserve is kept free, and deletions go on")
    func reserve() async throws {
        let roomy = try await LocalDiskBlobStore.open(directory)
        let key = try await roomy.put(.chunks([1_000], length: nil))
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.reserve = 1 << 60
        let full = try await LocalDiskBlobStore.open(directory: directory.path, configuration: configuration)
        for length in [nil, Int64(1)] {
            let code = await codeThrown { _ = try await full.stage(.chunks([1], length: length)) }
            #expect(code == .insufficientStorage)
        }
        #expect(try await full.info(for: key) != nil)
        try await full.remove(key)
        #expect(try await full.info(for: key) == nil)
    }

    @Test("1,000 bodies published into one folder at once are all there", arguments: [true, false])
    func sharedSyncs(unnamed: Bool) async throws {
        let store = try await LocalDiskBlobStore.open(directory, unnamed: unnamed)
        let staged = try await store.stage(.chunks([100], length: nil))
        let keys = (1...1_000).map { BlobKey(space: .shared, digest: staged.digest, generation: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in keys { group.addTask { try await store.publish(staged, as: key) } }
            try await group.waitForAll()
        }
        #expect(try await store.keys(after: nil, limit: 2_000) == keys.sorted())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in keys { group.addTask { try await store.remove(key) } }
            try await group.waitForAll()
        }
        #expect(try await store.keys(after: nil, limit: 1).isEmpty)
    }

    @Test("the first uploads of a container may all come at once")
    func newFolders() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let space = Space(id: ContainerID())
        let keys = try await withThrowingTaskGroup(of: BlobKey.self) { group in
            for seed in 1...64 {
                group.addTask { try await store.put(.chunks([10], seed: UInt64(seed), length: 10), space: space) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try await store.keys(after: nil, limit: 100) == keys.sorted())
    }

    @Test("the same bytes uploaded many times at once are one blob")
    func sameBytes() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let keys = try await withThrowingTaskGroup(of: BlobKey.self) { group in
            for _ in 0..<64 { group.addTask { try await store.put(.chunks([70_000, 5], length: nil)) } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(keys.count == 1)
        #expect(try await store.keys(after: nil, limit: 10) == Array(keys))
    }

    @Test("a body of 256 MiB is never more than three ahead of its file", arguments: [nil, 256 << 20] as [Int64?])
    func boundedMemory(length: Int64?) async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let chunk = ByteBuffer(repeating: 0x5A, count: 1 << 18)
        let directory = directory
        let furthest = Counter()
        let body = ByteStream(length: length, isReplayable: false) {
            var sent = 0
            return {
                if sent.isMultiple(of: 4 << 20) { furthest.raise(to: sent - (try directory.sizeOfOpenFiles)) }
                guard sent < 256 << 20 else { return nil }
                sent += chunk.readableBytes
                return chunk
            }
        }
        let staged = try await store.stage(body)
        #expect(staged.size == 256 << 20)
        #expect(furthest.value > 0)
        #expect(furthest.value <= 3 << 20)
        await store.discard(staged)
    }

    @Test("a slow body is not waited for in large pieces")
    func smallBatches() async throws {
        var batches = BodyBatches(.chunks(Array(repeating: 1_000, count: 1_000), length: nil))
        let first = try await batches.first()
        #expect(first.count == 66_000)
        var counts: [Int] = []
        var sum = first.count
        while true {
            let batch = try await batches.next { false }
            counts.append(batch.count)
            sum += batch.count
            #expect(batch.chunks.reduce(0) { $0 + $1.readableBytes } == batch.count)
            if batch.isLast { break }
        }
        #expect(sum == 1_000_000)
        #expect(counts.first == 33_000)
        #expect((counts.max() ?? 0) <= 1 << 20)
    }

    @Test("is refused after the shutdown, and frees what it holds")
    func shutdown() async throws {
        let store = try await LocalDiskBlobStore.open(directory, unnamed: false)
        let staged = try await store.stage(.chunks([10], length: nil))
        await store.shutdown()
        let codes = [
            await codeThrown { _ = try await store.stage(.chunks([10], length: nil)) },
            await codeThrown { try await store.publish(staged, as: BlobKey(space: .shared, digest: staged.digest)) },
            await codeThrown { try await store.remove(BlobKey(space: .shared, digest: staged.digest)) },
        ]
        #expect(codes == [.unavailable, .unavailable, .unavailable])
    }

    @Test("a failed sync makes the disk suspect: for want of room until the next one, otherwise for good")
    func suspicion() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        func fail(_ errno: CInt) async -> StorageError.Code? {
            await codeThrown { try store.translating { throw SyncError(beneath: "fsync", errno) } }
        }
        let full = await fail(ENOSPC)
        #expect(full == .insufficientStorage)
        #expect(store.isSuspect)
        try await store.put(.chunks([1], length: nil))
        #expect(!store.isSuspect)
        let broken = await fail(EIO)
        #expect(broken == .internal)
        try await store.put(.chunks([2], length: nil))
        _ = await fail(ENOSPC)
        try await store.put(.chunks([3], length: nil))
        #expect(store.isSuspect)
    }

    @Test("bytes that are there already are not vouched for in a folder whose sync failed; new ones are taken")
    func failedFolder() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let staged = try await store.stage(.chunks([1], length: nil))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await store.publish(staged, as: key)
        store.folders.noteFailure(key.folder)
        let code = await codeThrown { try await store.publish(staged, as: key) }
        #expect(code == .unavailable)
        try await store.publish(staged, as: BlobKey(space: .shared, digest: staged.digest, generation: 5))
    }

    @Test("every errno of a full disk, a full table and a broken disk has its place")
    func translation() {
        let expected: [(CInt, StorageError.Code, Bool)] = [
            (ENOSPC, .insufficientStorage, false), (EDQUOT, .insufficientStorage, false), (EMFILE, .unavailable, true),
            (ENFILE, .unavailable, true), (ENOMEM, .unavailable, true), (EROFS, .unavailable, false),
            (EIO, .internal, false),
            (ELOOP, .wrongStore, false), (EXDEV, .wrongStore, false),
        ]
        for (errno, code, isTransient) in expected {
            let error = SystemCallError(call: "write", errno: errno).storageError
            #expect(error.code == code)
            #expect(error.isTransient == isTransient)
            #expect(error.description.contains("write: "))
            #expect(!error.message.contains("write:"))
        }
    }
}
