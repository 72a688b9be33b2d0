import Foundation
import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

/// A cache in a directory of the test's own, in front of a store that is far away.
struct HotScene {
    let directory: TemporaryDirectory
    let far = FarBlobStore()

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Runs a body with the cache at work.
    func run<T: Sendable>(
        capacity: Int64 = 64 << 20, _ body: @escaping @Sendable (HotBlobStore) async throws -> T
    ) async throws -> T {
        let hot = try await HotBlobStore.open(far, directory: directory.path, capacity: capacity)
        return try await run(hot, body)
    }

    func run<T: Sendable>(
        _ hot: HotBlobStore, _ body: @escaping @Sendable (HotBlobStore) async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await hot.run()
                return nil
            }
            while !hot.fills.hasLoaded { await Task.yield() }
            group.addTask { try await body(hot) }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    /// The names of the blobs that lie in the directory.
    var kept: [String] { get throws { try directory.files.filter { $0.hasPrefix("store/") } } }

    static func bytes(_ count: Int, seed: UInt64 = 1) -> ByteBuffer { .random(count: count, seed: seed) }
}

extension HotBlobStore {
    /// The bytes of a blob; nil when it is not there.
    func read(_ key: BlobKey, _ range: ByteRange? = nil) async throws -> [UInt8]? {
        try await open(key, range: range)?.bytes()
    }

    /// The number of bytes that reading gives; nil when the blob is not there.
    func count(_ key: BlobKey, _ range: ByteRange? = nil) async throws -> Int? {
        try await read(key, range)?.count
    }

    /// Waits until so many blobs are kept and none is on its way.
    func settle(_ count: Int) async {
        while fills.index({ $0.count }) != count || fills.running > 0 { await Task.yield() }
    }
}

@Suite("HotBlobStore", .timeLimit(.minutes(2)))
struct HotBlobStoreTests {
    private let scene: HotScene

    init() throws {
        scene = try HotScene()
    }

    static let sizes = [0, 1, 1_000, 65_536, 65_537, 100_000, 3_000_000]

    @Test(
        "keeps the contract of BlobStore, at work and at rest",
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses, [true, false])
    func holds(_ clause: BlobStoreConformance.Clause, isAtWork: Bool) async throws {
        let scene = scene
        let hot = try await HotBlobStore.open(
            InMemoryBlobStore(), directory: scene.directory.path, capacity: 400_000)
        if isAtWork {
            try await scene.run(hot) { hot in try await clause.check { hot } }
        } else {
            try await clause.check { hot }
        }
    }

    @Test("fetches a blob once that is read again and again", arguments: sizes, [true, false])
    func readThrough(size: Int, hasPieces: Bool) async throws {
        let scene = scene
        scene.far.plan { $0.hasPieces = hasPieces && size <= Int(Int64.smallBlob) }
        let bytes = HotScene.bytes(size)
        let key = try await scene.far.put(bytes)
        try await scene.run { hot in
            let bytesRead = try await hot.read(key)
            #expect(bytesRead == Array(bytes.readableBytesView))
            await hot.settle(1)
            #expect(try scene.kept == [key.name])
            for range in [nil, 0..<Int64(size), 1..<Int64(max(1, size)), 0..<10_000] as [ByteRange?] {
                let part = range.map { $0.clamped(to: 0..<Int64(size)) } ?? 0..<Int64(size)
                let expected = Array(bytes.readableBytesView.dropFirst(Int(part.lowerBound)).prefix(part.count))
                let bytesAgain = try await hot.read(key, range)
                #expect(bytesAgain == expected)
            }
            let content = try #require(try await hot.open(key, range: nil))
            switch content.body {
            case .bytes: #expect(size <= Int(Int64.smallBlob) && content.isVerified)
            case .file: #expect(size > Int(Int64.smallBlob))
            case .stream: Issue.record("a blob on local disk is no stream")
            }
        }
        #expect(scene.far.opened.count == 1)
    }

    @Test("keeps nothing of a blob that is read in part")
    func parts() async throws {
        let scene = scene
        let key = try await scene.far.put(HotScene.bytes(300_000))
        try await scene.run { hot in
            for range in [0..<1, 0..<299_999, 1..<300_000, 299_999..<400_000] as [ByteRange] {
                let count = try await hot.count(key, range)
                #expect(count == range.clamped(to: 0..<300_000).count)
            }
            #expect(hot.fills.running == 0)
        }
        #expect(scene.far.opened.count == 4)
        #expect(try scene.kept.isEmpty)
    }

    @Test("shares one fetch among all that begin to read at the same time", arguments: sizes)
    func sharing(size: Int) async throws {
        let scene = scene
        let bytes = HotScene.bytes(size)
        let key = try await scene.far.put(bytes)
        scene.far.plan { $0.heldFrom = 0 }
        try await scene.run { hot in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in 0..<20 {
                    group.addTask {
                        let range = reader % 2 == 0 ? nil : 0..<Int64(size) as ByteRange?
                        let bytesRead = try await hot.read(key, range)
                        #expect(bytesRead == Array(bytes.readableBytesView))
                    }
                }
                if size > 0 { while scene.far.gate.waiting == 0 { await Task.yield() } }
                scene.far.gate.open()
                try await group.waitForAll()
            }
            await hot.settle(1)
        }
        #expect(size == 0 || scene.far.opened.count == 1)
    }

    @Test("gives every reader the bytes that have come, before the others have")
    func asTheyCome() async throws {
        let scene = scene
        let bytes = HotScene.bytes(1_000_000)
        let key = try await scene.far.put(bytes)
        scene.far.plan { $0.heldFrom = 500_000 }
        try await scene.run { hot in
            let first = try #require(try await hot.open(key, range: 0..<1_000_000))
            var chunks = first.stream.makeAsyncIterator()
            var got = try #require(try await chunks.next())
            let count = try await hot.count(key, 10_000..<60_000)
            #expect(count == 50_000)
            scene.far.gate.open()
            while var chunk = try await chunks.next() { got.writeBuffer(&chunk) }
            #expect(got == bytes)
            await hot.settle(1)
        }
        #expect(scene.far.opened.count == 1)
    }

    @Test("goes on from the store behind at the byte where a fetch broke, for every reader", arguments: [0, 200_000])
    func broken(at end: Int64) async throws {
        let scene = scene
        let bytes = HotScene.bytes(1_000_000)
        let key = try await scene.far.put(bytes)
        scene.far.plan { $0.breaks = [end] }
        try await scene.run { hot in
            let bytesRead = try await hot.read(key)
            #expect(bytesRead == Array(bytes.readableBytesView))
            #expect(hot.fills.running == 0)
        }
        #expect(scene.far.opened.count == 2)
        #expect(scene.far.opened.last??.lowerBound ?? 0 <= end)
        #expect(try scene.kept.isEmpty)
    }

    @Test("fails when the store behind fails", arguments: [1_000, 1_000_000])
    func away(size: Int) async throws {
        let scene = scene
        let key = try await scene.far.put(HotScene.bytes(size))
        scene.far.plan { $0.isAway = true }
        try await scene.run { hot in
            let code = await codeThrown { _ = try await hot.read(key) }
            #expect(code == .unavailable)
            scene.far.plan { $0.isAway = false }
            let count = try await hot.count(key)
            #expect(count == size)
            await hot.settle(1)
            scene.far.plan { $0.isAway = true }
            let countAgain = try await hot.count(key)
            #expect(countAgain == size)
        }
    }

    @Test("keeps nothing that has not its digest, and hands it out unverified", arguments: [1_000, 1_000_000])
    func flipped(size: Int) async throws {
        let scene = scene
        let bytes = HotScene.bytes(size)
        let key = try await scene.far.put(bytes)
        scene.far.plan { $0.isFlipped = true }
        try await scene.run { hot in
            let content = try #require(try await hot.open(key, range: nil))
            #expect(!content.isVerified)
            let received = try await content.bytes()
            #expect(received != Array(bytes.readableBytesView))
            await hot.settle(0)
            scene.far.plan { $0.isFlipped = false }
            let bytesRead = try await hot.read(key)
            #expect(bytesRead == Array(bytes.readableBytesView))
            await hot.settle(1)
        }
    }

    @Test("fails a reader who is cancelled, and goes on fetching")
    func cancelledReader() async throws {
        let scene = scene
        let key = try await scene.far.put(HotScene.bytes(1_000_000))
        scene.far.plan { $0.heldFrom = 0 }
        try await scene.run { hot in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await #expect(throws: CancellationError.self) { try await hot.read(key) } }
                while scene.far.gate.waiting == 0 { await Task.yield() }
                group.cancelAll()
            }
            scene.far.gate.open()
            await hot.settle(1)
        }
        #expect(try scene.kept == [key.name])
    }
}
