import Logging
import NIOCore
import StorageCore
import StorageTesting
import Testing

extension Logger {
    /// Says nothing.
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

@Suite("Sweeper")
struct SweeperTests {
    private func sweep(_ fixture: StorageFixture, after pause: Duration) async {
        fixture.clock.advance(by: pause)
        await Sweeper(metadata: fixture.metadata, interval: .seconds(3_600)).sweep()
    }

    private func claim(_ text: String, for principal: Principal, in fixture: StorageFixture) async throws -> UploadID {
        let container = try #require(fixture.storage.container(of: principal))
        let upload = UploadID()
        _ = try await fixture.metadata.claim(
            UploadClaim(
                upload: upload, container: container.id, space: container.space,
                digest: try .of(ByteBuffer(string: text)), size: Int64(text.utf8.count)))
        return upload
    }

    @Test("forgets uploads that nobody goes on with, after two hours")
    func leftUploads() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let upload = try await claim("x", for: ann, in: fixture)
        await sweep(fixture, after: .seconds(3_600))
        var outcome = try await fixture.metadata.outcome(of: upload)
        #expect(outcome == .open)
        let isRenewed = try await fixture.metadata.renew(upload, lease: 1)
        #expect(isRenewed)
        await sweep(fixture, after: .seconds(7_100))
        outcome = try await fixture.metadata.outcome(of: upload)
        #expect(outcome == .open)
        await sweep(fixture, after: .seconds(200))
        outcome = try await fixture.metadata.outcome(of: upload)
        #expect(outcome == .unknown)
    }

    @Test("remembers for a day that an upload took effect")
    func committedUploads() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let result = try await fixture.storage.put("x", at: "a", as: ann)
        let upload = try #require(fixture.metadata.claimed.last)
        await sweep(fixture, after: .seconds(86_000))
        var outcome = try await fixture.metadata.outcome(of: upload)
        #expect(outcome == .committed(result))
        await sweep(fixture, after: .seconds(500))
        outcome = try await fixture.metadata.outcome(of: upload)
        #expect(outcome == .unknown)
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "x")
    }

    @Test("takes away sign-ins that have ended, and no others")
    func credentials() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let account = try #require(ann.account)
        let token = TokenDigest.random()
        try await fixture.storage.put("x", at: "a", as: Principal(identity: .newContainer(token)))
        var digests: [TokenDigest] = []
        for seconds in [10, 1_000] as [Int64] {
            digests.append(.random())
            _ = try await fixture.metadata.change(
                .addCredential(
                    account.id, digests[digests.count - 1], kind: .session, label: nil, lifetime: seconds * 1_000_000,
                    idle: nil))
        }
        await sweep(fixture, after: .seconds(100))
        let records = [
            try await fixture.metadata.account(.credential(digests[0])),
            try await fixture.metadata.account(.credential(digests[1])),
        ]
        #expect(records.map { $0?.account.id } == [nil, account.id])
        // The digest is free again: nothing of the ended one is left.
        let again = try await fixture.metadata.change(
            .addCredential(account.id, digests[0], kind: .session, label: nil, lifetime: nil, idle: nil))
        #expect(again.credential != nil)
        let container = try await fixture.principal(of: token)
        #expect(container.account != nil)
    }

    @Test("keeps generation 0 of a digest from being used again, for ever")
    func tombstones() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let collector = GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: .seconds(3_600))
        for _ in 0..<3 {
            let record = try await fixture.storage.put("x", at: "a", as: ann).record
            let isFirst = fixture.metadata.claimed.count == 1
            #expect((record?.revision?.blob.generation == 0) == isFirst)
            try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
            fixture.clock.advance(by: .seconds(1))
            _ = try await collector.collect()
            await sweep(fixture, after: .seconds(30 * 86_400))
        }
    }

    @Test("goes on with each chore until it is done")
    func untilDone() async throws {
        let fixture = StorageFixture()
        fixture.metadata.plan { script in
            script.chores = [.foldUsage: 3, .sweepCredentials: 1]
        }
        await sweep(fixture, after: .zero)
        let counts = Dictionary(fixture.metadata.chores.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(counts.count == 5)
        #expect(counts[.foldUsage] == 4)
        #expect(counts[.sweepCredentials] == 2)
        #expect(counts.values.reduce(0, +) == 9)
    }

    @Test(
        "is not kept from its other chores by one that fails",
        arguments: [.foldUsage, .sweepCredentials] as [Chore])
    func failingChore(_ chore: Chore) async throws {
        let fixture = StorageFixture()
        fixture.metadata.plan { $0.failingChore = chore }
        await sweep(fixture, after: .zero)
        #expect(Set(fixture.metadata.chores).count == 5)
    }

    @Test("fills up what older versions wrote when all that is due is done")
    func backfill() async throws {
        let fixture = StorageFixture()
        fixture.metadata.plan { $0.chores = [.backfill: 3] }
        await sweep(fixture, after: .zero)
        #expect(!fixture.metadata.chores.contains(.backfill))
        await withTaskGroup(of: Void.self) { group in
            let sweeper = Sweeper(metadata: fixture.metadata, interval: .seconds(3_600))
            group.addTask { try? await sweeper.run() }
            for _ in 0..<2_000 where fixture.metadata.chores.count(where: { $0 == .backfill }) < 4 {
                try? await Task.sleep(for: .milliseconds(5))
            }
            group.cancelAll()
        }
        #expect(fixture.metadata.chores.count == 5 + 5 + 4)
        #expect(fixture.metadata.chores.suffix(4).allSatisfy { $0 == .backfill })
    }
}
