import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("FallbackBlobStore")
struct FallbackBlobStoreTests {
    private let new = InMemoryBlobStore()
    private let old = InMemoryBlobStore()
    private var store: FallbackBlobStore { FallbackBlobStore(new: new, old: old) }

    private func put(_ text: String, in store: any BlobStore) async throws -> BlobKey {
        let staged = try await store.stage(ByteStream(ByteBuffer(string: text)))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await store.publish(staged, as: key)
        await store.discard(staged)
        return key
    }

    @Test(
        "keeps the contract of BlobStore",
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses)
    func holds(_ clause: BlobStoreConformance.Clause) async throws {
        try await clause.check { FallbackBlobStore(new: InMemoryBlobStore(), old: InMemoryBlobStore()) }
    }

    @Test("writes to the new store alone")
    func writing() async throws {
        let key = try await put("x", in: store)
        #expect(try await new.info(for: key) != nil)
        #expect(try await old.info(for: key) == nil)
    }

    @Test("reads from the new store, and from the old one what is not there")
    func reading() async throws {
        let moved = try await put("moved", in: new)
        let left = try await put("left", in: old)
        for (key, text) in [(moved, "moved"), (left, "left")] {
            let content = try #require(try await store.open(key, range: 1..<9))
            #expect(try await content.bytes() == Array(text.utf8.dropFirst()))
            #expect(try await store.info(for: key) == BlobInfo(size: Int64(text.utf8.count)))
        }
        let absent = BlobKey(space: .shared, digest: .zero)
        #expect(try await store.open(absent, range: nil) == nil)
        #expect(try await store.info(for: absent) == nil)
    }

    @Test("removes from both")
    func removing() async throws {
        let key = try await put("x", in: new)
        _ = try await put("x", in: old)
        let other = try await put("y", in: old)
        try await store.remove([key, other])
        #expect(try await new.keys(after: nil, limit: 9).isEmpty)
        #expect(try await old.keys(after: nil, limit: 9).isEmpty)
    }

    @Test("lists the keys of both in order, each once, page by page", arguments: [1, 2, 3, 100])
    func listing(limit: Int) async throws {
        var keys: Set<BlobKey> = []
        for number in 0..<30 {
            if number % 3 != 1 { keys.insert(try await put("\(number)", in: new)) }
            if number % 3 != 0 { keys.insert(try await put("\(number)", in: old)) }
        }
        var listed: [BlobKey] = []
        while true {
            let page = try await store.keys(after: listed.last, limit: limit)
            #expect(page.count <= limit)
            if page.isEmpty { break }
            listed += page
        }
        #expect(listed == keys.sorted())
    }

    @Test("is well only when both are, and gives up the uploads into both")
    func upkeep() async throws {
        let journal = CallJournal()
        let faulty = FaultyBlobStore(InMemoryBlobStore(), journal: journal)
        let store = FallbackBlobStore(new: faulty, old: faulty)
        #expect(try await store.abandonUploads(olderThan: .seconds(1)) == 6)
        #expect(faulty.abandonments == [.seconds(1), .seconds(1)])
        faulty.plan { $0.strays = [Stray(name: [1], origin: .foreign)] }
        #expect(try await store.strays(limit: 9).count == 1)
        try await store.ping()
    }
}
