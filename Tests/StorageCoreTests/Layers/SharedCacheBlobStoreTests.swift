import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("SharedCacheBlobStore")
struct SharedCacheBlobStoreTests {
    private let shared = InMemorySharedCache()

    private func cache(_ cache: (any SharedCache)? = nil) -> TrustedCache {
        TrustedCache(cache ?? shared, key: [UInt8](repeating: 3, count: 32))
    }

    @Test(
        "keeps the contract of BlobStore",
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses)
    func holds(_ clause: BlobStoreConformance.Clause) async throws {
        try await clause.check {
            SharedCacheBlobStore(
                InMemoryBlobStore(),
                cache: TrustedCache(InMemorySharedCache(), key: [UInt8](repeating: 3, count: 32)))
        }
    }

    @Test("keeps the contract over a cache that lies", arguments: BlobStoreConformance.clauses)
    func holdsWithLies(_ clause: BlobStoreConformance.Clause) async throws {
        try await clause.check {
            SharedCacheBlobStore(
                InMemoryBlobStore(), cache: TrustedCache(LyingCache(), key: [UInt8](repeating: 3, count: 32)))
        }
    }

    @Test("what one has read another need not fetch, whole or in parts")
    func shares() async throws {
        let far = FarBlobStore()
        let key = try await far.put(ByteBuffer(string: "hello, you"))
        let (one, two) = (SharedCacheBlobStore(far, cache: cache()), SharedCacheBlobStore(far, cache: cache()))
        let first = try #require(try await one.open(key, range: nil))
        #expect(first.isVerified)
        far.plan { $0.isAway = true }
        for (range, text) in [(nil, "hello, you"), (1..<3, "el"), (7..<99, "you")] as [(ByteRange?, String)] {
            let content = try #require(try await two.open(key, range: range))
            #expect(content.size == 10)
            #expect(content.isVerified)
            let bytes = try await content.stream.collect(upTo: 100)
            #expect(String(buffer: bytes) == text)
        }
    }

    @Test("large ones and wrong ones are left to others, and what is removed is forgotten")
    func leaves() async throws {
        let far = FarBlobStore()
        let store = SharedCacheBlobStore(far, cache: cache())
        let large = try await far.put(ByteBuffer(repeating: 1, count: Int(Int64.smallBlob) + 1))
        _ = try await store.open(large, range: nil)
        let small = try await far.put(ByteBuffer(string: "hello"))
        far.plan { $0.isFlipped = true }
        let wrong = try #require(try await store.open(small, range: nil))
        #expect(!wrong.isVerified)
        far.plan { $0.isFlipped = false }
        for key in [large, small] {
            let name = try #require(cache().name(.blob, Array(key.name.utf8)))
            #expect(await shared.value(for: name) == nil)
        }
        _ = try await store.open(small, range: nil)
        let name = try #require(cache().name(.blob, Array(small.name.utf8)))
        #expect(await shared.value(for: name) != nil)
        try await store.remove(small)
        #expect(await shared.value(for: name) == nil)
    }
}

/// A shared cache that has an answer to everything, and never a right one.
struct LyingCache: SharedCache {
    var claim = Int64.max

    func value(for key: SharedCacheKey) async -> ByteBuffer? { ByteBuffer(string: "whatever you like") }
    func set(_ value: ByteBuffer, for key: SharedCacheKey, lifetime: Duration) {}
    func remove(_ key: SharedCacheKey) {}
    func increment(_ key: SharedCacheKey, lifetime: Duration) async -> Int64? { claim }
    func ping() async throws {}
}
