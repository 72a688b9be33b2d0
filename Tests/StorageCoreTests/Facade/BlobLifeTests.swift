import NIOCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageCore

@Suite("An upload whose blob is not what it seemed")
struct BlobLifeTests {
    @Test("claims again as often as the commit says that the blob is lost", arguments: [1, 3, 15])
    func claimsAgain(times: Int) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { $0.commits = Array(repeating: .blobLost, count: times) }
        try await fixture.storage.put("x", at: "a", as: ann)
        #expect(fixture.metadata.claimed.count == times + 1)
        #expect(fixture.journal.count(.publish) == times + 1)
        #expect(fixture.blobs.isTidy)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 1, files: 1))
    }

    @Test("tells that it is alive while a small blob is published slowly")
    func slowStore() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        var storage = fixture.storage
        storage.heartbeat = .milliseconds(1)
        let journal = fixture.journal
        fixture.blobs.plan { script in
            script.whenPublishing = {
                let end = ContinuousClock.now + .seconds(10)
                while journal.count(.renew) < 2, ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
        }
        try await storage.put("x", at: "a", as: ann)
        #expect(journal.count(.renew) >= 2)
        #expect(fixture.blobs.isTidy)
    }

    @Test("gives up where every claim is lost, and says that a later try may succeed")
    func givesUp() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { $0.commits = Array(repeating: .blobLost, count: 1_000) }
        let error = await #expect(throws: StorageError.self) { try await fixture.storage.put("x", at: "a", as: ann) }
        #expect(error?.code == .unavailable)
        #expect(error?.isTransient == true)
        #expect(fixture.blobs.isTidy)
        #expect(fixture.metadata.abandoned == Array(Set(fixture.metadata.claimed)))
    }

    @Test("writes under a new generation when the life ended before the commit")
    func lifeEnds() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { $0.commits = [.lifeEnds, .lifeEnds] }
        let record = try await fixture.storage.put("x", at: "a", as: ann).record
        #expect(record?.revision?.blob.generation != 0)
        let keys = try await fixture.keys()
        #expect(Set(keys).count == 3)
        #expect(fixture.journal.count(.stage) == 1)
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "x")
    }

    @Test("leaves no bytes under a key that was collected between its claim and its write", arguments: [false, true])
    func lateWrite(isReportedLate: Bool) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let collector = GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.bytes, grace: .zero, interval: .seconds(3_600))
        let doomed = Mutex<[BlobID]>([])
        fixture.blobs.plan { script in
            script.whenPublishing = {
                // Somebody else stores the same bytes first, deletes them again, and the collector comes.
                try await fixture.storage.put("x", at: "b", as: ann)
                try await fixture.storage.delete(try fixture.storage.selector("b", of: ann))
                fixture.clock.advance(by: .seconds(1))
                guard isReportedLate else {
                    _ = try await collector.collect()
                    return
                }
                let blobs = try await fixture.metadata.doom(grace: 0, retry: 3_600_000_000, limit: 10)
                try await fixture.bytes.remove(blobs.map(\.key))
                doomed.withLock { $0 = blobs.map(\.id) }
            }
        }
        let record = try await fixture.storage.put("x", at: "a", as: ann).record
        try await fixture.metadata.settle(.gone(doomed.withLock { $0 }))
        var keys = try await fixture.keys()
        #expect(keys.count == 2)
        _ = try await collector.collect()
        keys = try await fixture.keys()
        #expect(keys == [try #require(record?.revision?.blob)])
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "x")
    }

    @Test("never repairs a key that holds other bytes, but begins a new life")
    func mismatch() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let content = ByteBuffer(string: "content")
        let key = BlobKey(space: .shared, digest: try .of(content))
        let rubbish = try await fixture.bytes.stage(ByteStream(ByteBuffer(string: "rubbish of another size")))
        try await fixture.bytes.publish(rubbish, as: key)

        let record = try await fixture.storage.put("content", at: "a", as: ann).record
        #expect(record?.revision?.blob.digest == key.digest)
        #expect(record?.revision?.blob.generation != 0)
        let kept = try await fixture.bytes.info(for: key)
        #expect(kept?.size == 23)
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "content")
    }

    /// What can have happened to the bytes of a live blob.
    enum Damage: CaseIterable {
        case gone
        case unseen
        case otherSize
    }

    private func damage(_ key: BlobKey, _ damage: Damage, in fixture: StorageFixture) async throws {
        switch damage {
        case .unseen:
            fixture.blobs.plan { $0.missingInfos = 1 }
        case .gone:
            try await fixture.bytes.remove(key)
        case .otherSize:
            try await fixture.bytes.remove(key)
            let rubbish = try await fixture.bytes.stage(ByteStream(ByteBuffer(string: "!")))
            try await fixture.bytes.publish(rubbish, as: key)
        }
    }

    @Test(
        "that is live but damaged gets a new generation, and all that refer to it are healed",
        arguments: Damage.allCases)
    func heals(_ damage: Damage) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user("ann")
        let bob = try await fixture.user("bob")
        let old = try await fixture.storage.put("content", at: "a", as: ann).record?.revision?.blob
        try await fixture.storage.put("content", at: "b", as: ann)
        try await fixture.storage.put("content", at: "c", as: bob)
        let key = try #require(old)
        try await self.damage(key, damage, in: fixture)

        let new = try await fixture.storage.put("content", at: "a", as: ann).record?.revision?.blob
        #expect(new?.digest == key.digest)
        #expect(new?.generation != key.generation)
        for (path, owner) in [("a", ann), ("b", ann), ("c", bob)] {
            let text = try await fixture.storage.text(at: path, of: owner)
            #expect(text == "content", "\(path)")
            let blob = try await fixture.storage.entry(at: path, of: owner)?.revision?.blob
            #expect(blob == new, "\(path)")
        }
    }

    @Test("that is damaged is whole for a new path at once")
    func newPath() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let key = try #require(try await fixture.storage.put("content", at: "a", as: ann).record?.revision?.blob)
        try await fixture.bytes.remove(key)
        try await fixture.storage.put("content", at: "b", as: ann)
        let text = try await fixture.storage.text(at: "b", of: ann)
        #expect(text == "content")
    }

    @Test("that is in another container's own space is written all the same")
    func spaces() async throws {
        let fixture = StorageFixture { $0.isolation = .all }
        let ann = try await fixture.user("ann")
        let bob = try await fixture.user("bob")
        let first = try await fixture.storage.put("content", at: "a", as: ann).record?.revision?.blob
        let second = try await fixture.storage.put("content", at: "a", as: bob).record?.revision?.blob
        #expect(first?.digest == second?.digest)
        #expect(first?.space != second?.space)
        #expect(fixture.journal.count(.publish) == 2)
    }
}
