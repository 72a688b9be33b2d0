import NIOCore
import ServiceLifecycle
import StorageCore
import StorageTesting
import Synchronization
import Testing

@Suite("GarbageCollector")
struct GarbageCollectorTests {
    private func collector(_ fixture: StorageFixture, interval: Duration = .seconds(3_600)) -> GarbageCollector {
        GarbageCollector(metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: interval)
    }

    /// Collects after so much time that everything without a reference may go.
    @discardableResult
    private func collect(_ fixture: StorageFixture, after pause: Duration = .seconds(1)) async throws
        -> GarbageCollector.Report
    {
        fixture.clock.advance(by: pause)
        return try await collector(fixture).collect()
    }

    @Test("deletes bytes that nothing refers to, and nothing else")
    func unreferenced() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user("ann")
        let bob = try await fixture.user("bob")
        try await fixture.storage.put("gone", at: "a", as: ann)
        try await fixture.storage.put("shared", at: "b", as: ann)
        try await fixture.storage.put("shared", at: "b", as: bob)
        try await fixture.storage.put("kept", at: "c", as: ann)
        for path in ["a", "b"] { try await fixture.storage.delete(try fixture.storage.selector(path, of: ann)) }
        let report = try await collect(fixture)
        #expect(report.blobs == 1)
        #expect(report.bytes == 4)
        let keys = try await fixture.keys()
        #expect(keys.count == 2)
        let texts = [
            try await fixture.storage.text(at: "b", of: bob), try await fixture.storage.text(at: "c", of: ann),
        ]
        #expect(texts == ["shared", "kept"])
        let again = try await collect(fixture)
        #expect(again.blobs == 0)
    }

    @Test("leaves released bytes alone for the grace period")
    func grace() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a", as: ann)
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        fixture.clock.advance(by: .seconds(59))
        let early = try await collector(fixture).collect(grace: .seconds(60))
        #expect(early.blobs == 0)
        fixture.clock.advance(by: .seconds(2))
        let late = try await collector(fixture).collect(grace: .seconds(60))
        #expect(late.blobs == 1)
    }

    @Test("does not ask a store that does not answer once more for each blob, and deletes them later")
    func storeAway() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<50 {
            try await fixture.storage.put("\(number)", at: "a", as: ann)
            try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        }
        fixture.blobs.plan { $0.isAway = true }
        fixture.journal.clear()
        #expect(await refusalCode { try await collect(fixture) } == .unavailable)
        #expect(fixture.journal.count(.remove) == 1)
        fixture.blobs.plan { $0.isAway = false }
        let report = try await collect(fixture, after: .seconds(600))
        #expect(report.blobs == 50)
    }

    @Test("gives up uploads into the store that are a day old, and all of them where there is no grace period")
    func abandonedUploads() async throws {
        let fixture = StorageFixture()
        let report = try await collector(fixture).collect(grace: .seconds(60))
        #expect(report.uploads == 3)
        _ = try await collector(fixture).collect()
        #expect(fixture.blobs.abandonments == [.seconds(86_400), .zero])
    }

    @Test("keeps bytes that are referred to again, however often they were released")
    func referredToAgain() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for _ in 0..<3 {
            try await fixture.storage.put("x", at: "a", as: ann)
            try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        }
        try await fixture.storage.put("x", at: "b", as: ann)
        let report = try await collect(fixture)
        #expect(report.blobs == 0)
        let text = try await fixture.storage.text(at: "b", of: ann)
        #expect(text == "x")
    }

    @Test("writes a digest under a new key after its bytes were deleted")
    func newLife() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        var generations: Set<Int64> = []
        for _ in 0..<4 {
            let record = try await fixture.storage.put("x", at: "a", as: ann).record
            generations.insert(try #require(record?.revision?.blob.generation))
            try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
            try await collect(fixture)
        }
        #expect(generations.count == 4)
        #expect(generations.contains(0))
    }

    @Test("deletes what an upload left when it died before its commit, once its claim has ended")
    func deadUpload() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let container = try #require(fixture.storage.container(of: ann))
        let staged = try await fixture.bytes.stage(ByteStream(ByteBuffer(string: "half")))
        let claim = UploadClaim(
            upload: UploadID(), container: container.id, space: container.space, digest: staged.digest,
            size: staged.size,
            lease: 60_000_000)
        let claimed = try await fixture.metadata.claim(claim)
        try await fixture.bytes.publish(staged, as: claimed.key)
        let early = try await collect(fixture, after: .seconds(59))
        #expect(early.blobs == 0)
        let late = try await collect(fixture, after: .seconds(2))
        #expect(late.blobs == 1)
        let keys = try await fixture.keys()
        #expect(keys.isEmpty)
    }

    @Test("leaves bytes that it could not delete for a later pass, and never for an upload")
    func failedRemoval() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let old = try #require(try await fixture.storage.put("x", at: "a", as: ann).record?.revision?.blob)
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        fixture.blobs.plan { $0.stuck = [old] }
        let failed = try await collect(fixture)
        #expect(failed.blobs == 0)
        var keys = try await fixture.keys()
        #expect(keys == [old])

        // Doomed already: the same content gets a key of its own and outlives the repeated deletion.
        let new = try await fixture.storage.put("x", at: "a", as: ann).record?.revision?.blob
        #expect(new != old)
        fixture.blobs.plan { $0.stuck = [] }
        let soon = try await collect(fixture)
        #expect(soon.blobs == 0)
        let later = try await collect(fixture, after: .seconds(301))
        #expect(later.blobs == 1)
        keys = try await fixture.keys()
        #expect(keys == [new])
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "x")
    }

    @Test("is not held up by bytes that cannot be deleted")
    func stuckBlob() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<5 { try await fixture.storage.put("text \(number)", at: "\(number)", as: ann) }
        let stuck = try #require(try await fixture.storage.entry(at: "2", of: ann)?.revision?.blob)
        for number in 0..<5 { try await fixture.storage.delete(try fixture.storage.selector("\(number)", of: ann)) }
        fixture.blobs.plan { $0.stuck = [stuck] }
        let report = try await collect(fixture)
        #expect(report.blobs == 4)
        #expect(report.bytes == 24)
        let keys = try await fixture.keys()
        #expect(keys == [stuck])
    }

    @Test("that meets an upload of the same bytes between its decision and its deletion harms nothing")
    func uploadInBetween() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a", as: ann)
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        fixture.blobs.plan { script in
            script.whenRemoving = { [storage = fixture.storage] in try await storage.put("x", at: "b", as: ann) }
        }
        let report = try await collect(fixture)
        #expect(report.blobs == 1)
        let text = try await fixture.storage.text(at: "b", of: ann)
        #expect(text == "x")
    }

    @Test("that runs right before a commit makes the upload write its bytes anew")
    func collectionBeforeCommit() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a", as: ann)
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        fixture.metadata.plan { script in
            script.commits = [.lostBeforeEffect]
            script.whenLost = { _ = try await self.collect(fixture) }
        }
        try await fixture.storage.put("x", at: "b", as: ann)
        let text = try await fixture.storage.text(at: "b", of: ann)
        #expect(text == "x")
        #expect(fixture.metadata.claimed.count == 3)
    }

    @Test("ends although others release bytes as fast as it deletes them, and leaves those to the next pass")
    func busyNode() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let rounds = Mutex(0)
        let release: @Sendable () async throws -> Void = {
            let round = rounds.withLock { rounds in
                rounds += 1
                return rounds
            }
            guard round <= 20 else { return }
            try await fixture.storage.put("text \(round)", at: "a", as: ann)
            try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        }
        try await release()
        fixture.clock.advance(by: .seconds(1))
        fixture.blobs.plan { $0.whenRemoving = release }
        let report = try await collector(fixture).collect()
        #expect(report.blobs == 1)
        let next = try await collect(fixture)
        #expect(next.blobs == 1)
    }

    @Test("deletes in batches until nothing is left")
    func batches() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<250 { try await fixture.storage.put("text \(number)", at: "a/\(number)", as: ann) }
        try await fixture.storage.put("kept", at: "kept", as: ann)
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann), recursively: true)
        let report = try await collect(fixture)
        #expect(report.blobs == 250)
        let keys = try await fixture.keys()
        #expect(keys.count == 1)
    }

    @Test("that runs as a service goes on after a failed pass", .timeLimit(.minutes(1)))
    func goesOn() async throws {
        let fixture = StorageFixture()
        let (passes, continuation) = AsyncStream<Void>.makeStream()
        fixture.metadata.plan { script in
            script.failingDooms = 2
            script.whenDooming = { continuation.yield() }
        }
        let collector = collector(fixture, interval: .milliseconds(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await collector.run() }
            var count = 0
            for await _ in passes {
                count += 1
                if count == 4 { break }
            }
            #expect(count == 4)
            group.cancelAll()
        }
    }

    @Test("that runs as a service ends with its group, in the middle of a pause", .timeLimit(.minutes(1)))
    func gracefulEnd() async throws {
        let fixture = StorageFixture()
        let (passes, continuation) = AsyncStream<Void>.makeStream()
        fixture.metadata.plan { script in script.whenDooming = { continuation.yield() } }
        let group = ServiceGroup(
            services: [collector(fixture), Sweeper(metadata: fixture.metadata, interval: .seconds(3_600))],
            logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var first = passes.makeAsyncIterator()
            await first.next()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
