import NIOCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageCore

@Suite("BlobCopy")
struct BlobCopyTests {
    private let fixture = StorageFixture()
    private let bytes = InMemoryBlobStore()
    private let journal = CallJournal()
    private let target: FaultyBlobStore

    init() {
        target = FaultyBlobStore(bytes, journal: journal)
    }

    /// Has the target give back wrong bytes of one blob.
    private func garble(_ text: String, times: Int? = nil) {
        target.plan { script in
            script.replacements = times
            script.content = { content in
                guard case .bytes(let bytes) = content.body, String(buffer: bytes) == text else { return content }
                let garbled = ByteBuffer(string: text.uppercased())
                return BlobContent(size: content.size, range: content.range, body: .bytes(garbled))
            }
        }
    }

    private var copy: BlobCopy { BlobCopy(metadata: fixture.metadata, from: fixture.blobs, to: target) }

    private func keys() async throws -> [BlobKey] { try await keys(of: bytes) }

    private func keys(of store: InMemoryBlobStore) async throws -> [BlobKey] {
        try await store.keys(after: nil, limit: .max)
    }

    /// Runs a copy; what could not be copied comes sorted by its key.
    private func run(
        onProgress: @escaping @Sendable (BlobCopy.Progress) -> Void = { _ in }
    ) async throws -> (BlobCopy.Progress, [BlobCopy.Failure]) {
        let failures = Mutex<[BlobCopy.Failure]>([])
        let progress = try await copy.run(onProgress: onProgress) { failure in
            failures.withLock { $0.append(failure) }
        }
        return (progress, failures.withLock { $0 }.sorted { $0.key < $1.key })
    }

    @discardableResult
    private func fill(_ count: Int) async throws -> Principal {
        let ann = try await fixture.user()
        for number in 0..<count { try await fixture.storage.put("text \(number)", at: "\(number)", as: ann) }
        return ann
    }

    @Test("copies every live blob, and a second time none")
    func everything() async throws {
        let ann = try await fill(500)
        try await fixture.storage.delete(try fixture.storage.selector("7", of: ann))
        _ = try await GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: .seconds(1)
        ).collect()
        fixture.clock.advance(by: .seconds(1))
        let latest = Mutex(BlobCopy.Progress())
        let total = try await copy.measure()
        let (progress, failures) = try await run { progress in latest.withLock { $0 = progress } }
        #expect(failures.isEmpty)
        #expect(progress.blobs == total.blobs)
        #expect(progress.bytes == total.bytes)
        #expect(progress.copied == total.blobs)
        #expect(progress.copiedBytes == total.bytes)
        #expect(progress.present == 0)
        #expect(try await keys() == (try await fixture.keys()))
        #expect(target.isTidy)

        journal.clear()
        let (again, _) = try await run()
        #expect(journal.count(.open) == total.blobs)
        #expect(again.copied == 0)
        #expect(again.present == total.blobs)
        #expect(again.blobs == total.blobs)
        #expect(again.bytes == total.bytes)
    }

    @Test("goes on where it was when a store cannot be reached for a while")
    func interrupted() async throws {
        try await fill(60)
        let stopped = FaultyBlobStore(bytes, journal: CallJournal())
        stopped.plan { script in
            script.whenPublishing = { throw StorageError(.unavailable, "The store is away.", isTransient: true) }
        }
        let code = await refusalCode {
            try await BlobCopy(metadata: fixture.metadata, from: fixture.blobs, to: stopped).run()
        }
        #expect(code == .unavailable)
        #expect(stopped.isTidy)
        let (progress, failures) = try await run()
        #expect(failures.isEmpty)
        #expect(progress.copied + progress.present == 60)
        #expect(try await keys() == (try await fixture.keys()))
    }

    @Test("tells of what the source has lost, and copies all others")
    func missing() async throws {
        try await fill(20)
        let lost = try #require(try await fixture.keys().first)
        try await fixture.bytes.remove(lost)
        let (progress, failures) = try await run()
        #expect(failures.map(\.key) == [lost])
        #expect(failures.map(\.kind) == [.missing])
        #expect(progress.failed == 1)
        #expect(progress.copied == 19)
        #expect(progress.blobs == 20)
    }

    @Test("copies no damaged bytes")
    func damaged() async throws {
        try await fill(1)
        fixture.blobs.plan { script in
            script.content = { content in
                BlobContent(size: content.size, range: content.range, body: .bytes(ByteBuffer(string: "TEXT 0")))
            }
        }
        let (progress, failures) = try await run()
        #expect(failures.map(\.kind) == [.damaged])
        #expect(progress.copied == 0)
        #expect(try await keys().isEmpty)
        #expect(target.isTidy)
    }

    @Test("removes a copy that does not read as it was written, and does not write that key again")
    func unfaithful() async throws {
        try await fill(3)
        garble("text 0")
        let (progress, failures) = try await run()
        #expect(failures.map(\.kind) == [.unfaithful])
        #expect(progress.failed == 1)
        #expect(progress.copied == 2)
        #expect(try await keys().count == 2)
        #expect(journal.count(.publish) == 3)
        #expect(journal.count(.remove) == 1)
    }

    @Test("removes no copy that reads wrong only once")
    func garbledOnce() async throws {
        try await fill(1)
        garble("text 0", times: 1)
        let (progress, failures) = try await run()
        #expect(failures.isEmpty)
        #expect(progress.copied == 1)
        #expect(journal.count(.remove) == 0)
    }

    @Test("reads what the target has already, and leaves alone what is wrong there")
    func presentButWrong() async throws {
        try await fill(2)
        _ = try await run()
        journal.clear()
        garble("text 0")
        let (progress, failures) = try await run()
        #expect(failures.map(\.kind) == [.occupied])
        #expect(progress.failed == 1)
        #expect(progress.present == 1)
        #expect(progress.bytes == 12)
        #expect(journal.count(.remove) == 0)
    }

    @Test("counts a blob as there whose writing was refused after it had taken effect")
    func writtenAllTheSame() async throws {
        try await fill(2)
        let (bytes, source) = (bytes, fixture.bytes)
        let keys = try await keys(of: source)
        target.plan { script in
            script.publications = [.internal]
            script.whenPublishing = {
                // What was refused is there when the next pass comes.
                for key in keys {
                    guard let content = try await source.open(key, range: nil) else { continue }
                    try await bytes.publish(try await bytes.stage(content.stream), as: key)
                }
            }
        }
        let (progress, failures) = try await run()
        #expect(failures.map(\.kind) == [.refused])
        #expect(progress.failed == 0)
        #expect(progress.copied + progress.present == 2)
        #expect(progress.blobs == 2)
    }

    @Test("tells of blobs that were found damaged before, and whether the source has them", arguments: [false, true])
    func damagedBefore(isWhole: Bool) async throws {
        let ann = try await fill(2)
        let file = try await fixture.storage.file(try fixture.storage.selector("0", of: ann))
        let key = try #require(file.revision?.blob)
        try await fixture.metadata.settle(.corrupt(key))
        if !isWhole { try await fixture.bytes.remove(key) }
        var (progress, failures) = try await run()
        #expect(failures.map(\.kind) == [.corrupt])
        #expect(failures.map(\.key) == [key])
        #expect(failures.first?.detail.contains("the source has its bytes whole") == isWhole)
        #expect(progress.corrupt == 1)
        #expect(progress.failed == 0)
        #expect(progress.blobs == 1)
        #expect(try await keys().count == 1)

        // The same content heals the file, and nothing refers to the damaged blob any more.
        try await fixture.storage.put("text 0", at: "0", as: ann)
        (progress, failures) = try await run()
        #expect(failures.isEmpty)
        #expect(progress.corrupt == 0)
    }

    @Test("looks once more when everybody has had the time to learn of the target")
    func lastPass() async throws {
        let (fixture, ann) = (fixture, try await fixture.user())
        fixture.metadata.plan { script in
            script.whenInspected = { try await fixture.storage.put("late", at: "late", as: ann) }
        }
        var copy = copy
        copy.lastPassAfter = .seconds(1)
        #expect(try await copy.run().copied == 1)
    }

    @Test("leaves alone what lies in place of a blob")
    func occupied() async throws {
        try await fill(1)
        let key = try #require(try await fixture.keys().first)
        let staged = try await bytes.stage(ByteStream(ByteBuffer(string: "something else")))
        try await bytes.publish(staged, as: key)
        let (progress, failures) = try await run()
        #expect(failures.map(\.kind) == [.occupied])
        #expect(progress.failed == 1)
        #expect(try await bytes.info(for: key) == BlobInfo(size: 14))
    }

    @Test("tells of a blob that a store refuses, and copies all others")
    func refused() async throws {
        try await fill(20)
        target.plan { $0.publications = [.internal] }
        let (progress, failures) = try await run()
        // The next pass has copied it.
        #expect(failures.map(\.kind) == [.refused])
        #expect(progress.failed == 0)
        #expect(progress.copied == 20)
        #expect(progress.blobs == 20)
    }

    @Test("removes the copy of a blob that was deleted and collected while it was copied")
    func deletedMeanwhile() async throws {
        let ann = try await fill(1)
        let both = FallbackBlobStore(new: bytes, old: fixture.blobs)
        let (fixture, selector) = (fixture, try fixture.storage.selector("0", of: ann))
        target.plan { script in
            script.whenPublishing = {
                try await fixture.storage.delete(selector)
                fixture.clock.advance(by: .seconds(1))
                let collector = GarbageCollector(
                    metadata: fixture.metadata, blobs: both, grace: .zero, interval: .seconds(1))
                #expect(try await collector.collect().blobs == 1)
            }
        }
        let (progress, failures) = try await run()
        #expect(progress.removed == 1)
        #expect(progress.copied == 0)
        #expect(failures.isEmpty)
        #expect(try await keys().isEmpty)
        #expect(try await fixture.keys().isEmpty)
    }

    @Test("does not count a blob as missing that was deleted while it was looked for")
    func deletedBefore() async throws {
        let ann = try await fill(1)
        let (fixture, selector) = (fixture, try fixture.storage.selector("0", of: ann))
        fixture.blobs.plan { script in
            script.missingOpens = 1
            script.whenMissing = {
                try await fixture.storage.delete(selector)
                fixture.clock.advance(by: .seconds(1))
                let collector = GarbageCollector(
                    metadata: fixture.metadata, blobs: fixture.bytes, grace: .zero, interval: .seconds(1))
                #expect(try await collector.collect().blobs == 1)
            }
        }
        let (progress, failures) = try await run()
        #expect(failures.isEmpty)
        #expect(progress.failed == 0)
    }

    @Test("removes what an interrupted run left of a blob that was collected meanwhile")
    func leftBehind() async throws {
        let ann = try await fill(2)
        _ = try await run()
        let deleted = try await fixture.storage.file(try fixture.storage.selector("0", of: ann)).revision?.blob
        try await fixture.storage.delete(try fixture.storage.selector("0", of: ann))
        fixture.clock.advance(by: .seconds(1))
        // Only from the source, as if the copy had come later.
        _ = try await GarbageCollector(
            metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: .seconds(1)
        ).collect()
        #expect(try await keys().count == 2)
        let (progress, _) = try await run()
        #expect(progress.removed == 1)
        #expect(try await keys().count == 1)
        #expect(try await bytes.info(for: try #require(deleted)) == nil)
    }

    @Test("copies what was written to the source while the copy ran")
    func writtenMeanwhile() async throws {
        let ann = try await fill(3)
        let fixture = fixture
        target.plan { script in
            script.whenPublishing = { try await fixture.storage.put("late", at: "late", as: ann) }
        }
        let (progress, _) = try await run()
        #expect(progress.copied == 4)
        #expect(try await keys() == (try await fixture.keys()))
    }
}
