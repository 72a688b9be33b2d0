import NIOCore
import StorageCore
import StorageTesting
import Synchronization
import Testing

@Suite("Fsck")
struct FsckTests {
    private func findings(_ fixture: StorageFixture) async throws -> (Fsck.Report, [Fsck.Finding]) {
        var findings: [Fsck.Finding] = []
        let report = try await Fsck(metadata: fixture.metadata, blobs: fixture.bytes).run { findings.append($0) }
        #expect(report.findings.values.reduce(0, +) == findings.count)
        return (report, findings)
    }

    @Test("finds nothing in a store that was used in every way, and counts all of it")
    func clean() async throws {
        let fixture = StorageFixture { $0.limits = ContainerLimits(bytes: 100_000) }
        let ann = try await fixture.user()
        for index in 0..<450 { try await fixture.storage.put("\(index)", at: "f/\(index % 300)", as: ann) }
        try await fixture.storage.put("by a token", at: "a", as: Principal(identity: .newContainer(.random())))
        try await fixture.storage.delete(try fixture.storage.selector("f/1", of: ann))
        _ = try await fixture.storage.stage(.random(count: 10, seed: 1), as: ann)
        let (report, found) = try await findings(fixture)
        #expect(found.isEmpty)
        #expect(report.isClean)
        #expect(report.progress.blobs == 451)
        #expect(report.progress.containers == 2)
    }

    @Test("names a blob whose bytes are gone, and one that is known to be damaged")
    func lost() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for name in ["a", "b", "c"] { try await fixture.storage.put("bytes of \(name)", at: name, as: ann) }
        let a = try await fixture.storage.file(try fixture.storage.selector("a", of: ann)).revision
        let b = try await fixture.storage.file(try fixture.storage.selector("b", of: ann)).revision
        let (missing, damaged) = (try #require(a).blob, try #require(b).blob)
        try await fixture.bytes.remove(missing)
        try await fixture.metadata.settle(.corrupt(damaged))
        let (report, found) = try await findings(fixture)
        #expect(report.findings == [.missing: 1, .damaged: 1])
        #expect(Set(found.map(\.subject)) == [missing.name, damaged.name])
        #expect(!report.isClean)
    }

    @Test("names a container whose counts are wrong")
    func miscounted() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("bytes", at: "a", as: ann)
        fixture.metadata.plan { $0.miscount = 1 }
        let (report, found) = try await findings(fixture)
        #expect(report.findings == [.miscounted: 1])
        #expect(found.map(\.subject) == [try #require(ann.account).container.id.description])
    }

    @Test("names a container whose files are not what their revisions say, and how many they are")
    func miscopied() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("bytes", at: "a", as: ann)
        fixture.metadata.plan { $0.miscopied = 7 }
        let (report, found) = try await findings(fixture)
        #expect(report.findings == [.miscopied: 1])
        #expect(found.map(\.subject) == [try #require(ann.account).container.id.description])
        #expect(found.first?.detail.hasPrefix("7 files") == true)
    }

    @Test("does not take what is collected meanwhile for lost")
    func collected() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("bytes", at: "a", as: ann)
        let collector = GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.bytes, grace: .zero, interval: .seconds(3_600))
        fixture.metadata.plan { script in
            script.whenInspected = {
                try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
                fixture.clock.advance(by: .seconds(1))
                _ = try await collector.collect()
            }
        }
        let (report, _) = try await findings(fixture)
        let keys = try await fixture.keys()
        #expect(keys.isEmpty)
        #expect(report.isClean)
    }

    /// A store with one file, and the key of its bytes.
    private func scene() async throws -> (StorageFixture, Principal, BlobKey) {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("first", at: "a", as: ann)
        let record = try await fixture.storage.file(try fixture.storage.selector("a", of: ann))
        return (fixture, ann, try #require(record.revision?.blob))
    }

    /// Puts other bytes under a key, as a damaged disk may.
    private func replace(_ key: BlobKey, by text: String, in fixture: StorageFixture) async throws {
        try await fixture.bytes.remove(key)
        let staged = try await fixture.bytes.stage(ByteStream(ByteBuffer(string: text)))
        try await fixture.bytes.publish(staged, as: key)
        await fixture.bytes.discard(staged)
    }

    @Test("names a blob with too few bytes, until it has them again")
    func wrongSize() async throws {
        let (fixture, _, key) = try await scene()
        try await replace(key, by: "fir", in: fixture)
        #expect(try await findings(fixture).0.findings == [.wrongSize: 1])
        try await replace(key, by: "first", in: fixture)
        #expect(try await findings(fixture).0.isClean)
    }

    @Test("names bytes that came back after they were collected")
    func leftOver() async throws {
        let (fixture, ann, key) = try await scene()
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        fixture.clock.advance(by: .seconds(1))
        _ = try await GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.bytes, grace: .zero, interval: .seconds(1)
        ).collect()
        #expect(try await findings(fixture).0.isClean)
        try await replace(key, by: "first", in: fixture)
        // An upload that claimed the blob before it was doomed may write it late.
        #expect(try await findings(fixture).0.isClean)
        fixture.clock.advance(by: .seconds(16 * 60))
        let (report, found) = try await findings(fixture)
        #expect(report.findings == [.leftOver: 1])
        #expect(found.map(\.subject) == [key.name])
    }
}
