import MirroredBlobStore
import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("MirroredBlobStore, an own blob store")
struct MirroredBlobStoreTests {
    @Test(
        "keeps the contract of BlobStore",
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses
            + BlobStoreConformance.streamingClauses)
    func conforms(_ clause: BlobStoreConformance.Clause) async throws {
        try await withTemporaryDirectory { directory in
            try await clause.check {
                MirroredBlobStore(
                    try await LocalDiskBlobStore.open(directory: directory + "/one"),
                    try await LocalDiskBlobStore.open(directory: directory + "/two"))
            }
        }
    }

    @Test("gives what either of its stores has lost")
    func survivesLoss() async throws {
        let (one, two) = (InMemoryBlobStore(), InMemoryBlobStore())
        let store = MirroredBlobStore(one, two)
        let bytes = ByteBuffer.random(count: 100_000, seed: 1)
        let key = try await store.save(bytes)
        for lossy in [one, two] {
            try await lossy.remove(key)
            let read = try await store.open(key, range: 10..<20)?.stream.collect(upTo: 10)
            #expect(read == bytes.getSlice(at: 10, length: 10))
            try await store.save(bytes)
        }
        let (first, second) = (try await one.info(for: key), try await two.info(for: key))
        #expect(first == second, "What was stored again is in both again.")
    }

    @Test("reads past a store that fails, but takes nothing in, and knows no absence")
    func survivesFailure() async throws {
        let whole = InMemoryBlobStore()
        let key = try await whole.save(ByteBuffer.random(count: 1_000, seed: 2))
        let store = MirroredBlobStore(BrokenBlobStore(), whole)
        let info = try await store.info(for: key)
        #expect(info == BlobInfo(size: 1_000))
        for call in [
            { _ = try await store.info(for: BlobKey(space: .shared, digest: .random())) },
            { try await store.remove(key) }, { try await store.ping() },
            { _ = try await MirroredBlobStore(InMemoryBlobStore(), BrokenBlobStore()).save(ByteBuffer(string: "a")) },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: StorageError.self) { try await call() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("copies no damaged bytes")
    func copiesNoDamage() async throws {
        let (one, two) = (InMemoryBlobStore(), InMemoryBlobStore())
        let staged = try await one.stage(ByteStream(ByteBuffer(string: "wrong")))
        let right = try BlobDigest.of(ByteBuffer(string: "right"))
        let key = BlobKey(space: .shared, digest: right)
        try await one.publish(staged, as: key)
        let store = MirroredBlobStore(one, two)
        let error = await #expect(throws: StorageError.self) { try await store.save(ByteBuffer(string: "right")) }
        #expect(error?.code == .blobMismatch)
        let copy = try await two.info(for: key)
        #expect(copy == nil)
    }
}

/// A disk that is gone.
private struct BrokenBlobStore: BlobStore {
    private var failure: StorageError { StorageError(.unavailable, "The disk is gone.") }

    func stage(_ body: ByteStream) async throws -> StagedBlob { throw failure }
    func publish(_ staged: StagedBlob, as key: BlobKey) async throws { throw failure }
    func discard(_ staged: StagedBlob) async {}
    func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? { throw failure }
    func info(for key: BlobKey) async throws -> BlobInfo? { throw failure }
    func remove(_ key: BlobKey) async throws { throw failure }
    func ping() async throws { throw failure }
    func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] { throw failure }
    func strays(limit: Int) async throws -> [Stray] { throw failure }
}

extension BlobStore {
    /// Stages and publishes bytes under the key made of their digest.
    @discardableResult
    fileprivate func save(_ bytes: ByteBuffer) async throws -> BlobKey {
        let staged = try await stage(ByteStream(bytes))
        let key = BlobKey(space: .shared, digest: staged.digest)
        do {
            try await publish(staged, as: key)
        } catch {
            await discard(staged)
            throw error
        }
        await discard(staged)
        return key
    }
}
