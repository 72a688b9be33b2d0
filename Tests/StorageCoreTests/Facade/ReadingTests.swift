import NIOCore
import StorageCore
import Synchronization
import Testing

@Suite("Reading a file")
struct ReadingTests {
    /// Reads the whole file and counts how often it was planned.
    private func read(
        _ path: String, of principal: Principal, in fixture: StorageFixture
    ) async throws -> (record: FileRecord, content: BlobContent?, plans: Int) {
        let plans = Mutex(0)
        let (record, content) = try await fixture.storage.read(try fixture.storage.selector(path, of: principal)) {
            record in
            plans.withLock { $0 += 1 }
            return (record, 0..<(record.revision?.size ?? 0))
        }
        return (record, content, plans.withLock { $0 })
    }

    @Test("as a whole is one call, which refuses a folder and what is not there")
    func whole() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "docs/a", as: ann)
        let (record, body) = try await fixture.storage.open(try fixture.storage.selector("docs/a", of: ann))
        let read = try await body.collect(upTo: 5)
        #expect(record.revision?.size == 5)
        #expect(read == ByteBuffer(string: "hello"))
        for (path, code) in [("docs", StorageError.Code.pathConflict), ("b", .notFound)] {
            let selector = try fixture.storage.selector(path, of: ann)
            let error = await #expect(throws: StorageError.self) { try await fixture.storage.open(selector) }
            #expect(error?.code == code)
        }
    }

    @Test("by its revision outlives that, until the bytes are collected")
    func revision() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let old = try #require(try await fixture.storage.put("old", at: "a", as: ann).record?.revision)
        try await fixture.storage.put("newer", at: "a", as: ann)
        let body = try await fixture.storage.bytes(of: old)
        let bytes = try await body?.collect(upTo: 3)
        #expect(bytes == ByteBuffer(string: "old"))
        try await fixture.bytes.remove(old.blob)
        let gone = try await fixture.storage.bytes(of: old)
        #expect(gone?.length == nil)
    }

    @Test("by a revision that is known to be damaged, or has other bytes, is refused", arguments: [true, false])
    func damagedRevision(isKnown: Bool) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        var revision = try #require(try await fixture.storage.put("hello", at: "a", as: ann).record?.revision)
        if isKnown {
            try await fixture.metadata.settle(.corrupt(revision.blob))
            revision = try #require(try await fixture.storage.file(fixture.storage.selector("a", of: ann)).revision)
        } else {
            fixture.blobs.plan { script in
                script.content = { _ in
                    BlobContent(size: 5, range: 0..<5, body: .bytes(ByteBuffer(string: "jello")))
                }
            }
        }
        let damaged = revision
        let error = await #expect(throws: StorageError.self) { try await fixture.storage.bytes(of: damaged) }
        #expect(error?.code == .corrupt)
    }

    @Test("looks again when the bytes are gone by the time they are opened", arguments: [0, 1, 2])
    func looksAgain(times: Int) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        fixture.blobs.plan { $0.missingOpens = times }
        let (_, content, plans) = try await read("a", of: ann, in: fixture)
        #expect(content?.size == 5)
        #expect(plans == times + 1)
        #expect(fixture.journal.count(.open) == times + 1)
    }

    @Test("finds what was put there meanwhile")
    func overwrittenMeanwhile() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("old", at: "a", as: ann)
        fixture.blobs.plan { script in
            script.missingOpens = 1
            script.whenMissing = { [storage = fixture.storage] in try await storage.put("newer", at: "a", as: ann) }
        }
        let (record, content, _) = try await read("a", of: ann, in: fixture)
        #expect(record.revision?.size == 5)
        #expect(content?.size == 5)
    }

    @Test("finds nothing when it was deleted meanwhile")
    func deletedMeanwhile() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("old", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        fixture.blobs.plan { script in
            script.missingOpens = 1
            script.whenMissing = { [storage = fixture.storage] in try await storage.delete(selector) }
        }
        let error = await #expect(throws: StorageError.self) { try await read("a", of: ann, in: fixture) }
        #expect(error?.code == .notFound)
    }

    @Test("whose bytes are lost says so after three looks")
    func lost() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let key = try #require(try await fixture.storage.put("hello", at: "a", as: ann).record?.revision?.blob)
        try await fixture.bytes.remove(key)
        let error = await #expect(throws: StorageError.self) { try await read("a", of: ann, in: fixture) }
        #expect(error?.code == .corrupt)
        #expect(fixture.journal.count(.open) == 3)
    }

    @Test("whose bytes have another number says so at once", arguments: ["hell", "hello!"])
    func wrongSize(bytes: String) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        fixture.blobs.plan { script in
            script.content = { _ in
                let buffer = ByteBuffer(string: bytes)
                let size = Int64(buffer.readableBytes)
                return BlobContent(size: size, range: 0..<size, body: .bytes(buffer))
            }
        }
        let error = await #expect(throws: StorageError.self) { try await read("a", of: ann, in: fixture) }
        #expect(error?.code == .corrupt)
        #expect(fixture.journal.count(.open) == 1)
    }

    @Test("opens nothing when the plan wants no bytes")
    func noBytes() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        let (size, content) = try await fixture.storage.read(selector) { ($0.revision?.size, nil) }
        #expect(size == 5)
        #expect(content == nil)
        #expect(fixture.journal.count(.open) == 0)
    }

    @Test("opens nothing of a folder")
    func folder() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        _ = try await fixture.storage.makeFolder(try FilePath("a"), as: ann)
        let (record, content, _) = try await read("a", of: ann, in: fixture)
        #expect(record.isFolder)
        #expect(content == nil)
    }

    @Test("lets the plan refuse")
    func refused() async throws {
        struct Refusal: Error {}
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        await #expect(throws: Refusal.self) {
            try await fixture.storage.read(selector) { _ -> (Int, ByteRange?) in throw Refusal() }
        }
        #expect(fixture.journal.count(.open) == 0)
    }

    @Test("that is not there, or another's, is the same refusal")
    func absent() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user("ann")
        let bob = try await fixture.user("bob")
        let record = try #require(try await fixture.storage.put("hello", at: "a", as: ann).record)
        let container = try #require(fixture.storage.container(of: bob)).id
        for selector in [
            FileSelector.path(container, try FilePath("a")), .id(container, record.id), .id(container, FileID()),
        ] {
            let error = await #expect(throws: StorageError.self) { try await fixture.storage.file(selector) }
            #expect(error?.code == .notFound)
            #expect(error?.message == StorageError.noSuchFile.message)
        }
    }
}
