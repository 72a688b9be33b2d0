import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("What an upload may be")
struct AdmissionTests {
    @Test(
        "is limited in size while it streams: the limit itself is fine",
        arguments: [[10], [1], [3], [9, 1], [4, 6]], [nil, 10] as [Int64?])
    func exactLimit(sizes: [Int], length: Int64?) async throws {
        let fixture = StorageFixture { $0.uploadSize = 10 }
        let ann = try await fixture.user()
        let body = ByteStream.chunked(ByteBuffer(string: "0123456789"), sizes: sizes, length: length)
        let result = try await fixture.storage.put(NewFile(path: try FilePath("a")), body: body, as: ann)
        #expect(result.record?.revision?.size == 10)
    }

    @Test(
        "is limited in size while it streams: one byte more leaves nothing",
        arguments: [[11], [1], [10, 1], [4, 6, 1]], [nil, 10, 0] as [Int64?])
    func oneTooMany(sizes: [Int], length: Int64?) async throws {
        let fixture = StorageFixture { $0.uploadSize = 10 }
        let ann = try await fixture.user()
        let body = ByteStream.chunked(ByteBuffer(string: "0123456789x"), sizes: sizes, length: length)
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.put(NewFile(path: try FilePath("a")), body: body, as: ann)
        }
        #expect(error?.code == .tooLarge)
        #expect(fixture.blobs.isTidy)
        #expect(fixture.journal.calls == [.stage])
    }

    @Test("is not asked for more than one chunk beyond the limit")
    func endlessBody() async throws {
        let fixture = StorageFixture { $0.uploadSize = 100 }
        let ann = try await fixture.user()
        let pulls = WatchedBody("0123456789")
        let endless = ByteStream(length: nil, isReplayable: false) {
            { try await pulls.stream().collect(upTo: 10) }
        }
        await #expect(throws: StorageError.self) {
            try await fixture.storage.put(NewFile(path: try FilePath("a")), body: endless, as: ann)
        }
        // Each chunk takes two pulls: its bytes and its end.
        #expect(pulls.timesAsked == 22)
    }

    /// What is known to fail before the body is there.
    enum Refusal: CaseIterable {
        case tooLarge
        case exists
        case changed
        case absent
        case fileAbove

        var code: StorageError.Code {
            switch self {
            case .tooLarge: .tooLarge
            case .exists, .changed, .absent: .preconditionFailed
            case .fileAbove: .pathConflict
            }
        }
    }

    @Test("is refused before its first byte is asked for", arguments: Refusal.allCases)
    func refusedUnseen(_ refusal: Refusal) async throws {
        let fixture = StorageFixture { $0.uploadSize = 100 }
        let ann = try await fixture.user()
        try await fixture.storage.put("old", at: "a", as: ann)
        fixture.journal.clear()
        var file = NewFile(path: try FilePath("a"))
        var length: Int64?
        switch refusal {
        case .tooLarge: length = 101
        case .exists: file.precondition.ifNoneMatch = .any
        case .changed: file.precondition.ifMatch = .revisions([RevisionID()])
        case .absent: (file.path, file.precondition.ifMatch) = (try FilePath("b"), .any)
        case .fileAbove: file.path = try FilePath("a/b")
        }
        let body = WatchedBody()
        let code = await refusalCode { try await fixture.storage.put(file, body: body.stream(length: length), as: ann) }
        #expect(code == refusal.code)
        #expect(body.timesAsked == 0)
        #expect(fixture.journal.calls.isEmpty)
    }

    @Test("is refused unseen under a new token too", arguments: [Refusal.tooLarge, .absent])
    func refusedUnderNewToken(_ refusal: Refusal) async throws {
        let fixture = StorageFixture { $0.uploadSize = 100 }
        let principal = Principal(identity: .newContainer(.random()))
        var file = NewFile(path: try FilePath("a"))
        if refusal == .absent { file.precondition.ifMatch = .any }
        let body = WatchedBody()
        let length: Int64 = refusal == .tooLarge ? 101 : 1
        let code = await refusalCode {
            try await fixture.storage.put(file, body: body.stream(length: length), as: principal)
        }
        #expect(code == refusal.code)
        #expect(body.timesAsked == 0)
        let accounts = try await fixture.metadata.accounts(after: 0, limit: 10)
        #expect(accounts.isEmpty)
    }

    @Test("is asked for when nothing speaks against it")
    func admitted() async throws {
        let fixture = StorageFixture { $0.uploadSize = 100 }
        let ann = try await fixture.user()
        let body = WatchedBody("x")
        _ = try await fixture.storage.put(NewFile(path: try FilePath("a")), body: body.stream(length: 1), as: ann)
        #expect(body.timesAsked > 0)
    }
}
