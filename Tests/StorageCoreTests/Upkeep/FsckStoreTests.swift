import NIOCore
import StorageCore
import StorageTesting
import Synchronization
import Testing

@Suite("Fsck of the bytes, the store and what waits for upkeep")
struct FsckStoreTests {
    private func report(_ fixture: StorageFixture, readsData: Bool = false) async throws -> (Fsck.Report, [String]) {
        var subjects: [String] = []
        let fsck = Fsck(metadata: fixture.metadata, blobs: fixture.blobs, readsData: readsData)
        let report = try await fsck.run { subjects.append($0.subject) }
        return (report, subjects)
    }

    private func kinds(_ fixture: StorageFixture, readsData: Bool = false) async throws -> [Fsck.Finding.Kind: Int] {
        try await report(fixture, readsData: readsData).0.findings
    }

    /// A store with three files, and the key of the first.
    private func scene() async throws -> (StorageFixture, Principal, BlobKey) {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for text in ["first", "second", "third"] { try await fixture.storage.put(text, at: text, as: ann) }
        let record = try await fixture.storage.file(try fixture.storage.selector("first", of: ann))
        return (fixture, ann, try #require(record.revision?.blob))
    }

    private func save(_ text: String, as key: BlobKey, in fixture: StorageFixture) async throws {
        let staged = try await fixture.bytes.stage(ByteStream(ByteBuffer(string: text)))
        try await fixture.bytes.publish(staged, as: key)
        await fixture.bytes.discard(staged)
    }

    @Test("names other bytes of the same size only when it reads them, and no other blob")
    func wrongDigest() async throws {
        let (fixture, _, key) = try await scene()
        #expect(try await kinds(fixture, readsData: true) == [:])
        try await fixture.bytes.remove(key)
        try await save("First", as: key, in: fixture)
        #expect(try await kinds(fixture) == [:])
        let (found, subjects) = try await report(fixture, readsData: true)
        #expect(found.findings == [.wrongDigest: 1])
        #expect(subjects == [key.name])
    }

    @Test("counts what it reads, as it reads it")
    func progress() async throws {
        let (fixture, _, _) = try await scene()
        let counted = Mutex(0)
        let fsck = Fsck(metadata: fixture.metadata, blobs: fixture.blobs, readsData: true)
        let report = try await fsck.run { bytes in
            counted.withLock { $0 += bytes }
        } onFinding: { _ in
        }
        #expect(counted.withLock { $0 } == 16)
        #expect(numbers(report) == [3, 16, 1, 3, 16])
        let unread = try await Fsck(metadata: fixture.metadata, blobs: fixture.blobs).run { _ in }
        #expect(numbers(unread) == [3, 16, 1, 3, 0])
    }

    /// Blobs, their bytes, containers, keys, bytes that were read.
    private func numbers(_ report: Fsck.Report) -> [Int64] {
        let progress = report.progress
        return [
            Int64(progress.blobs), progress.bytes, Int64(progress.containers), Int64(progress.keys), progress.readBytes,
        ]
    }

    @Test("believes a second read where the first went wrong", arguments: [1, 2, 100])
    func secondRead(replacements: Int) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("first", at: "a", as: ann)
        fixture.blobs.plan { script in
            script.content = { BlobContent(size: $0.size, range: $0.range, body: .bytes(ByteBuffer(string: "other"))) }
            script.replacements = replacements
        }
        #expect(try await kinds(fixture, readsData: true) == (replacements == 1 ? [:] : [.wrongDigest: 1]))
    }

    @Test("names a blob that cannot be read, and goes on with the others")
    func unreadable() async throws {
        let (fixture, _, _) = try await scene()
        fixture.blobs.plan { $0.content = Self.failing(StorageError(.internal, "The disk is broken.")) }
        fixture.blobs.plan { $0.replacements = 6 }
        #expect(try await kinds(fixture, readsData: true) == [.unreadable: 3])
    }

    @Test("ends without a report when the store does not answer at all")
    func unavailable() async throws {
        let (fixture, _, _) = try await scene()
        fixture.blobs.plan {
            $0.content = Self.failing(StorageError(.unavailable, "Nobody answers.", isTransient: true))
        }
        await #expect(throws: StorageError.self) { _ = try await kinds(fixture, readsData: true) }
    }

    private static func failing(_ error: StorageError) -> @Sendable (BlobContent) -> BlobContent {
        { content in
            let stream = ByteStream(length: content.size, isReplayable: true) { { throw error } }
            return BlobContent(size: content.size, range: content.range, body: .stream(stream))
        }
    }

    @Test("names bytes that no row knows, until there is a row")
    func unknown() async throws {
        let (fixture, ann, _) = try await scene()
        let container = try #require(fixture.storage.container(of: ann))
        let digest = try BlobDigest.of(ByteBuffer(string: "nobody's"))
        let key = BlobKey(space: container.space, digest: digest)
        try await save("nobody's", as: key, in: fixture)
        let (found, subjects) = try await report(fixture)
        #expect(found.findings == [.unknown: 1])
        #expect(subjects == [key.name])
        let claimed = try await fixture.metadata.claim(
            UploadClaim(upload: UploadID(), container: container.id, space: container.space, digest: digest, size: 8))
        #expect(claimed.key == key)
        #expect(try await kinds(fixture) == [:])
    }

    @Test("does not take bytes for unknown that went away while it asked for their row")
    func removedMeanwhile() async throws {
        let (fixture, _, _) = try await scene()
        let key = BlobKey(space: .shared, digest: .random(), generation: 7)
        try await save("going", as: key, in: fixture)
        fixture.metadata.plan { script in
            script.whenLookedUp = { [bytes = fixture.bytes] in try await bytes.remove(key) }
        }
        #expect(try await kinds(fixture) == [:])
    }

    @Test("names what lies in the store and is no blob")
    func strays() async throws {
        let (fixture, _, _) = try await scene()
        fixture.blobs.plan { script in
            script.strays = [
                Stray(name: Array("store/README".utf8), origin: .foreign),
                Stray(name: Array("store/a".utf8) + [0xFF], origin: .foreign),
                Stray(name: Array("staging/0".utf8), origin: .abandonedUpload),
            ]
        }
        let (found, subjects) = try await report(fixture)
        #expect(found.findings == [.unrecognised: 2, .leftOver: 1])
        #expect(subjects == ["store/README", "store/a\\xff", "staging/0"])
    }

    @Test("names a claim that ended a day ago and was not collected")
    func stuckClaim() async throws {
        let (fixture, ann, _) = try await scene()
        let container = try #require(fixture.storage.container(of: ann))
        let claimed = try await fixture.metadata.claim(
            UploadClaim(
                upload: UploadID(), container: container.id, space: container.space, digest: .random(), size: 1,
                lease: 600_000_000))
        await sweep(fixture)
        fixture.clock.advance(by: .seconds(86_400 + 590))
        await sweep(fixture)
        #expect(try await kinds(fixture) == [:])
        fixture.clock.advance(by: .seconds(20))
        let (found, subjects) = try await report(fixture)
        #expect(found.findings == [.stuck: 1])
        #expect(subjects == [claimed.key.name])
        _ = try await collector(fixture).collect()
        #expect(try await kinds(fixture) == [:])
    }

    @Test("names a deletion that has failed for a day, however often it was tried")
    func stuckDeletion() async throws {
        let (fixture, ann, key) = try await scene()
        try await fixture.storage.delete(try fixture.storage.selector("first", of: ann))
        fixture.blobs.plan { $0.stuck = [key] }
        for hour in 0..<26 {
            fixture.clock.advance(by: .seconds(3_600))
            _ = try await collector(fixture).collect()
            let expected: [Fsck.Finding.Kind: Int] = hour > 24 ? [.stuck: 1] : [:]
            if hour > 23 { await sweep(fixture) }
            if hour != 24 { #expect(try await kinds(fixture) == expected, "hour \(hour)") }
        }
        fixture.blobs.plan { $0.stuck = [] }
        fixture.clock.advance(by: .seconds(3_600))
        _ = try await collector(fixture).collect()
        #expect(try await kinds(fixture) == [:])
    }

    @Test("names a container with an upload that has been silent for a day, until it is swept")
    func stuckUpload() async throws {
        let fixture = StorageFixture { $0.limits = ContainerLimits(bytes: 1_000) }
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a", as: ann)
        _ = try await fixture.storage.stage(.random(count: 10, seed: 1), as: ann)
        fixture.clock.advance(by: .seconds(86_390))
        #expect(try await kinds(fixture) == [:])
        fixture.clock.advance(by: .seconds(20))
        let (found, subjects) = try await report(fixture)
        #expect(found.findings == [.stuck: 1])
        #expect(subjects == [try #require(ann.account).container.id.description])
        await sweep(fixture)
        #expect(try await kinds(fixture) == [:])
    }

    private func collector(_ fixture: StorageFixture) -> GarbageCollector {
        GarbageCollector(metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: .seconds(3_600))
    }

    private func sweep(_ fixture: StorageFixture) async {
        await Sweeper(metadata: fixture.metadata, interval: .seconds(3_600)).sweep()
    }
}
