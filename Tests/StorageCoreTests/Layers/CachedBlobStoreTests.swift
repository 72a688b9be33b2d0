import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("CachedBlobStore")
struct CachedBlobStoreTests {
    @Test(
        "keeps the contract of BlobStore",
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses)
    func holds(_ clause: BlobStoreConformance.Clause) async throws {
        // Room for a few blobs only, so that some give way while the clause runs.
        try await clause.check { CachedBlobStore(InMemoryBlobStore(), bytes: 100 << 10) }
    }

    @Test("has a blob in memory once it was read whole, and serves parts of it from there")
    func kept() async throws {
        let base = InMemoryBlobStore()
        let store = CachedBlobStore(base, bytes: 1 << 20)
        let key = try await save("hello", in: store)
        #expect(store.recall(key) == nil)
        _ = try await store.open(key, range: 1..<3)
        #expect(store.recall(key) == nil)
        _ = try await store.open(key, range: nil)
        #expect(store.recall(key) == ByteBuffer(string: "hello"))
        // Behind the cache's back: what is answered now comes from memory.
        try await base.remove(key)
        let part = try #require(try await store.open(key, range: 1..<3))
        #expect(part.size == 5)
        #expect(part.isVerified)
        guard case .bytes(let bytes) = part.body else {
            Issue.record("a part of a small blob is bytes")
            return
        }
        #expect(bytes == ByteBuffer(string: "el"))
        let info = try await store.info(for: key)
        #expect(info == nil)
    }

    @Test("keeps no bytes that are not the key's")
    func damaged() async throws {
        let base = InMemoryBlobStore()
        let store = CachedBlobStore(base, bytes: 1 << 20)
        let staged = try await base.stage(ByteStream(ByteBuffer(string: "jello")))
        let key = BlobKey(space: .shared, digest: try SHA256.digest(of: ByteBuffer(string: "hello")))
        try await base.publish(staged, as: key)
        let content = try #require(try await store.open(key, range: nil))
        #expect(!content.isVerified)
        #expect(store.recall(key) == nil)
    }

    @Test(
        "keeps no large blob, and nothing at all without room", arguments: [(1 << 20, 4), (0, 1 << 20), (520, 1 << 20)])
    func bounds(_ bytes: Int, _ largest: Int) async throws {
        let store = CachedBlobStore(InMemoryBlobStore(), bytes: bytes, largest: largest)
        let key = try await save("hello, you", in: store)
        for _ in 0..<2 { _ = try await store.open(key, range: nil) }
        #expect(store.recall(key) == nil)
    }

    private func save(_ text: String, in store: some BlobStore) async throws -> BlobKey {
        let staged = try await store.stage(ByteStream(ByteBuffer(string: text)))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await store.publish(staged, as: key)
        await store.discard(staged)
        return key
    }
}
