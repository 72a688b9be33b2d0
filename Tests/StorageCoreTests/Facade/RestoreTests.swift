import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("Restoring a revision")
struct RestoreTests {
    typealias Faults = [FaultyMetadataStore.CommitFault]

    @Test("brings its bytes, type and name back, and keeps what it replaces")
    func restored() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let old = try await fixture.storage.put("old", at: "a", as: ann).record?.revision
        try await fixture.storage.put("newer", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        let record = try await fixture.storage.restore(selector, to: old?.id ?? RevisionID(), as: ann)
        let text = try await fixture.storage.text(at: "a", of: ann)
        let sizes = try await fixture.storage.revisions(of: selector, limit: 10).map(\.revision?.size)
        #expect(record.revision?.id != old?.id)
        #expect(text == "old")
        #expect(sizes == [3, 5, 3])
    }

    @Test("has one effect when the answer is lost", arguments: [[.lostBeforeEffect], [.lostAfterEffect]] as [Faults])
    func lostAnswer(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let old = try await fixture.storage.put("old", at: "a", as: ann).record?.revision
        try await fixture.storage.put("newer", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        fixture.metadata.plan { $0.commits = faults }
        _ = try await fixture.storage.restore(selector, to: old?.id ?? RevisionID(), as: ann)
        let sizes = try await fixture.storage.revisions(of: selector, limit: 10).map(\.revision?.size)
        #expect(sizes == [3, 5, 3])
    }

    @Test("keeps as many revisions as the policy says")
    func kept() async throws {
        let fixture = StorageFixture { $0.keepRevisions = 1 }
        let ann = try await fixture.user()
        let old = try await fixture.storage.put("old", at: "a", as: ann).record?.revision
        try await fixture.storage.put("newer", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        _ = try await fixture.storage.restore(selector, to: old?.id ?? RevisionID(), as: ann)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 3, files: 1, revisionBytes: 5))
    }

    @Test("is refused for a folder, another's file, what is not there, and files that are published by their digest")
    func refused() async throws {
        let fixture = StorageFixture()
        let (ann, bob) = (try await fixture.user(), try await fixture.user("bob"))
        let revision = try await fixture.storage.put("x", at: "f/a", as: ann).record?.revision?.id ?? RevisionID()
        let (file, folder) = (
            try fixture.storage.selector("f/a", of: ann), try fixture.storage.selector("f", of: ann)
        )
        let digest = try BlobDigest.of(ByteBuffer(string: "y"))
        let published = try await fixture.storage.put(
            NewFile(publishing: digest, mediaType: nil, sentName: "y", precondition: .none),
            body: ByteStream(ByteBuffer(string: "y")), as: ann)
        for (selector, id, principal, code) in [
            (folder, revision, ann, .unprocessable), (file, revision, bob, .notFound),
            (file, RevisionID(), ann, .notFound),
            (try fixture.storage.selector("none", of: ann), revision, ann, .notFound),
            (
                try fixture.storage.selector("by-hash/\(digest.hex)", of: ann),
                published.record?.revision?.id ?? RevisionID(), ann, .pathConflict
            ),
        ] as [(FileSelector, RevisionID, Principal, StorageError.Code)] {
            let refusal = await refusalCode { try await fixture.storage.restore(selector, to: id, as: principal) }
            #expect(refusal == code)
        }
        let ofFolder = await refusalCode { try await fixture.storage.revisions(of: folder, limit: 10) }
        #expect(ofFolder == .unprocessable)
    }

    @Test("is not possible once the bytes are found damaged, and they are not read either")
    func damaged() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let old = try await fixture.storage.put("old", at: "a", as: ann).record
        try await fixture.storage.put("newer", at: "a", as: ann)
        let key = old?.revision?.blob
        if let key { try await fixture.metadata.settle(.corrupt(key)) }
        let selector = try fixture.storage.selector("a", of: ann)
        let revision = old?.revision?.id ?? RevisionID()
        let restored = await refusalCode { try await fixture.storage.restore(selector, to: revision, as: ann) }
        let opened = await refusalCode {
            guard let old else { throw StorageError.noSuchFile }
            return try await fixture.storage.open(.revision(old.container, old.id, revision))
        }
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(restored == .corrupt)
        #expect(opened == .corrupt)
        #expect(text == "newer")
    }
}
