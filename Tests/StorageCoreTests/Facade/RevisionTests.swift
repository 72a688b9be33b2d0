import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("Older revisions")
struct RevisionTests {
    /// Texts of 1, 2, 4 … bytes, so that every sum tells which of them are in it.
    private func text(_ number: Int) -> String {
        String(repeating: "x", count: 1 << number)
    }

    @Test("are kept as many as the policy says, the newest of them", arguments: [0, 1, 2, 5, 100])
    func kept(keep: Int) async throws {
        let fixture = StorageFixture { $0.keepRevisions = keep }
        let ann = try await fixture.user()
        for number in 0..<8 { try await fixture.storage.put(text(number), at: "a", as: ann) }
        let usage = try await fixture.storage.usage(of: ann)
        let older = (0..<7).suffix(keep).reduce(Int64(0)) { $0 + (1 << $1) }
        #expect(usage == Usage(bytes: 128, files: 1, revisionBytes: older))

        fixture.clock.advance(by: .seconds(1))
        _ = try await collector(fixture).collect()
        let keys = try await fixture.keys()
        #expect(keys.count == min(keep, 7) + 1)
        let current = try await fixture.storage.text(at: "a", of: ann)
        #expect(current == text(7))
    }

    @Test("are not kept in the container of a token, whatever the policy")
    func token() async throws {
        let fixture = StorageFixture { $0.keepRevisions = 5 }
        let token = TokenDigest.random()
        for number in 0..<4 {
            let principal = try await fixture.principal(of: token)
            try await fixture.storage.put(text(number), at: "a", as: principal)
        }
        let principal = try await fixture.principal(of: token)
        let selector = try fixture.storage.selector("a", of: principal)
        try await fixture.storage.put(text(5), at: "b", as: principal)
        _ = try await fixture.storage.copy(selector, to: try FilePath("b"), as: principal, overwrite: true)
        let usage = try await fixture.storage.usage(of: principal)
        #expect(usage == Usage(bytes: 16, files: 2))
    }

    @Test("go with their file")
    func deleted() async throws {
        let fixture = StorageFixture { $0.keepRevisions = 5 }
        let ann = try await fixture.user()
        for number in 0..<4 { try await fixture.storage.put(text(number), at: "a", as: ann) }
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage())
        fixture.clock.advance(by: .seconds(1))
        let report = try await collector(fixture).collect()
        #expect(report.blobs == 4)
        #expect(report.bytes == 15)
    }

    @Test("move with their file, and stay behind when it is copied")
    func movedAndCopied() async throws {
        let fixture = StorageFixture { $0.keepRevisions = 5 }
        let ann = try await fixture.user()
        for number in 0..<3 { try await fixture.storage.put(text(number), at: "a", as: ann) }
        let selector = try fixture.storage.selector("a", of: ann)
        _ = try await fixture.storage.copy(selector, to: try FilePath("copy"), as: ann, overwrite: false)
        _ = try await fixture.storage.move(selector, to: try FilePath("moved"), as: ann, overwrite: false)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 8, files: 2, revisionBytes: 3))
    }

    @Test("come back as current ones when their bytes are stored again")
    func storedAgain() async throws {
        let fixture = StorageFixture { $0.keepRevisions = 1 }
        let ann = try await fixture.user()
        for number in [0, 1, 0, 1, 0] { try await fixture.storage.put(text(number), at: "a", as: ann) }
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 1, files: 1, revisionBytes: 2))
        let keys = try await fixture.keys()
        #expect(keys.count == 2)
    }

    private func collector(_ fixture: StorageFixture) -> GarbageCollector {
        GarbageCollector(metadata: fixture.metadata, blobs: fixture.blobs, grace: .zero, interval: .seconds(3_600))
    }
}
