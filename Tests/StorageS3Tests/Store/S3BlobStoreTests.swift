import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageS3

@Suite("S3BlobStore on a real server", .enabled(if: S3Server.bucket != nil))
struct S3BlobStoreTests {
    private func save(_ bytes: ByteBuffer, in store: S3BlobStore, generation: Int64 = 0) async throws -> BlobKey {
        let staged = try await store.stage(ByteStream(bytes))
        let key = BlobKey(space: .shared, digest: staged.digest, generation: generation)
        try await store.publish(staged, as: key)
        await store.discard(staged)
        return key
    }

    private func refusal(_ change: (inout S3Configuration) -> Void) async throws -> StorageError? {
        let place = try await S3Place()
        do {
            _ = try await place.open(change)
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test("the store keeps its identity, and two that open it at once agree on it")
    func identity() async throws {
        let place = try await S3Place()
        let stores = try await withThrowingTaskGroup(of: S3BlobStore.self) { group in
            for _ in 0..<8 { group.addTask { try await place.open() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let later = try await place.open { $0.createsStore = false }
        #expect(Set(stores.map(\.storeID)) == [later.storeID])
        #expect(stores.count { $0.isNew } == 1)
        #expect(!later.isNew)
        #expect(stores.allSatisfy { $0.facts.hasConditionalPut })
        #expect(later.facts.hasConditionalPut)
        #expect(!later.facts.keepsVersions)
    }

    @Test("a place that is no store is refused, and nothing is written, where none is to be made")
    func noStore() async throws {
        let place = try await S3Place()
        for _ in 0..<2 {
            let error = await #expect(throws: StorageError.self) {
                _ = try await place.open { $0.createsStore = false }
            }
            #expect(error?.code == .wrongStore)
        }
    }

    @Test("a wrong secret, a key that nobody has and a bucket that is not there are mistakes in the settings")
    func mistakes() async throws {
        let bucket = try #require(S3Server.bucket)
        let secret = try await refusal {
            $0.credentials = S3Credentials(accessKey: bucket.credentials.accessKey, secretKey: "wrong")
        }
        let key = try await refusal {
            $0.credentials = S3Credentials(accessKey: "nobody", secretKey: bucket.credentials.secretKey)
        }
        let missing = try await refusal { $0.bucket = "no-such-bucket" }
        for error in [secret, key, missing] {
            #expect(error?.code == .wrongStore)
            #expect(error?.isTransient == false)
        }
        #expect(secret?.message.contains("SignatureDoesNotMatch") == true)
        #expect(key?.message.contains("InvalidAccessKeyId") == true)
        #expect(missing?.message.contains("NoSuchBucket") == true)
    }

    @Test("a service that does not answer may do so later")
    func unreachable() async throws {
        // A port that nobody listens on.
        let error = try await refusal {
            $0.endpoint = "http://127.0.0.1:1"
            $0.retryPolicy.maximumAttempts = 1
        }
        #expect(error?.code == .unavailable)
        #expect(error?.isTransient == true)
    }

    @Test("a blob of many parts is stored whole, and its parts come back from anywhere")
    func manyParts() async throws {
        let place = try await S3Place()
        let store = try await place.open {
            $0.multipartThreshold = 6 << 20
            $0.partSize = 5 << 20
        }
        let size: Int64 = (23 << 20) + 7
        let staged = try await store.stage(.random(count: size, seed: 1))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await store.publish(staged, as: key)
        await store.discard(staged)
        let content = try #require(try await store.open(key, range: nil))
        for try await _ in content.stream.verified(by: key.digest) {}
        #expect(content.size == size)
        let seam: ByteRange = ((5 << 20) - 3)..<((5 << 20) + 70_000)
        let part = try #require(try await store.open(key, range: seam))
        let bytes = try await part.stream.collect(upTo: 100_000)
        #expect(part.range == seam)
        #expect(bytes.readableBytes == seam.count)
        let left = try await store.abandonUploads(olderThan: .zero)
        #expect(left == 0)
    }

    @Test("a stream can be read twice, and left before its end")
    func replay() async throws {
        let place = try await S3Place()
        let store = try await place.open()
        let bytes = ByteBuffer.random(count: 3 << 20, seed: 2)
        let content = try #require(try await store.open(try await save(bytes, in: store), range: nil))
        #expect(content.stream.isReplayable)
        for try await _ in content.stream { break }
        for _ in 0..<2 {
            let read = try await content.stream.collect(upTo: 3 << 20)
            #expect(read == bytes)
        }
    }

    @Test("uploads in parts that nobody ended are found and given back, by age and only below the prefix")
    func abandonedUploads() async throws {
        let places = (try await S3Place(), try await S3Place())
        let (one, other) = (try await places.0.open(), try await places.1.open())
        let name = BlobKey(space: .shared, digest: .random()).name
        for _ in 0..<3 { _ = try await one.bucket.createUpload(name) }
        _ = try await other.bucket.createUpload(name)
        let young = try await one.abandonUploads(olderThan: .seconds(3_600))
        let all = try await one.abandonUploads(olderThan: .zero)
        let again = try await one.abandonUploads(olderThan: .zero)
        let others = try await other.abandonUploads(olderThan: .zero)
        #expect([young, all, again, others] == [0, 3, 0, 1])
    }

    @Test("an upload that is given back while it is under way begins anew")
    func sweptUpload() async throws {
        let place = try await S3Place()
        let store = try await place.open {
            $0.multipartThreshold = 6 << 20
            $0.partSize = 5 << 20
            $0.parallelParts = 1
        }
        let staged = try await store.stage(.random(count: 16 << 20, seed: 3))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await store.publish(staged, as: key) }
            var swept = 0
            for _ in 0..<2_000 where swept == 0 { swept = try await store.abandonUploads(olderThan: .zero) }
            #expect(swept == 1)
            try await group.waitForAll()
        }
        await store.discard(staged)
        let size = try await store.info(for: key)?.size
        #expect(size == 16 << 20)
    }

    @Test("what lies between the blobs and is none is a stray, and is listed as nothing else")
    func strays() async throws {
        let place = try await S3Place()
        let store = try await place.open()
        let key = try await save(.random(count: 10, seed: 4), in: store)
        let names = ["store/ab/not-a-digest", "store/a b+c%20ü&<>", "containers/x/y", "store/\(key.digest.prefix)/"]
        for name in names {
            _ = try await store.bucket.put(name, .digesting(ByteBuffer(string: "x")), onlyIfAbsent: false)
        }
        let strays = try await store.strays(limit: 100)
        let few = try await store.strays(limit: 2)
        let keys = try await store.keys(after: nil, limit: 100)
        #expect(Set(strays.map(\.name)) == Set(names.map { Array($0.utf8) }))
        #expect(strays.allSatisfy { $0.origin == .foreign })
        #expect(few.count == 2)
        #expect(keys == [key])
    }

    @Test("more than a thousand keys are listed and deleted in pages")
    func manyKeys() async throws {
        let place = try await S3Place()
        let store = try await place.open()
        let keys = try await withThrowingTaskGroup(of: BlobKey.self) { group in
            for number in 0..<32 {
                group.addTask {
                    var last: BlobKey?
                    for generation in 1...40 {
                        last = try await save(
                            ByteBuffer(integer: UInt64(number)), in: store, generation: Int64(generation))
                    }
                    return try #require(last)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let listed = try await store.keys(after: nil, limit: 5_000)
        #expect(keys.count == 32)
        #expect(listed.count == 32 * 40)
        #expect(listed == listed.sorted())
        try await store.remove(listed)
        let left = try await store.keys(after: nil, limit: 5_000)
        #expect(left.isEmpty)
    }

    @Test("in a bucket that keeps versions, what is removed is gone with every version")
    func versions() async throws {
        let place = try await S3Place()
        var configuration = place.configuration
        configuration.bucket = "versions-\(String(ContainerID.random().description.prefix(8)))"
        let client = try S3Client(configuration)
        try await client.send("CreateBucket", .put).drain()
        let enabled = ByteBuffer(string: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        try await client.send("PutBucketVersioning", .put, query: [.init("versioning")], body: .digesting(enabled))
            .drain()
        let store = try await place.open { $0.bucket = configuration.bucket }
        #expect(store.facts.keepsVersions)
        let bytes = ByteBuffer.random(count: 100, seed: 5)
        let key = try await save(bytes, in: store)
        let twin = try await save(bytes, in: store, generation: 7)
        for _ in 0..<2 { _ = try await store.bucket.put(key.name, .digesting(bytes), onlyIfAbsent: false) }
        _ = try await store.bucket.delete(key.name)
        let before = try await store.bucket.versions(of: key.name)
        try await store.remove(key)
        let after = try await store.bucket.versions(of: key.name)
        let left = try await store.keys(after: nil, limit: 10)
        #expect(before.count == 4)
        #expect(after.isEmpty)
        #expect(left == [twin])
        try await store.remove([twin, key])
        let last = try await store.bucket.versions(of: twin.name)
        #expect(last.isEmpty)
    }
}
