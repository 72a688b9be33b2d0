import NIOCore
import StorageCore
import Testing

@Suite("A commit whose answer was lost")
struct LostCommitTests {
    typealias Faults = [FaultyMetadataStore.CommitFault]

    @Test(
        "of an upload has exactly one effect",
        arguments: [
            [.lostBeforeEffect], [.lostAfterEffect], [.lostWithItsUpload], [.lostBeforeEffect, .lostAfterEffect],
            [.lostBeforeEffect, .lostBeforeEffect], [.lostWithItsUpload, .lostAfterEffect],
            [.lostWithItsUpload, .lostBeforeEffect, .lostWithItsUpload],
        ] as [Faults])
    func uploadOnce(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("one", at: "a", as: ann)
        fixture.metadata.plan { $0.commits = faults }
        let result = try await fixture.storage.put("three", at: "a", as: ann)
        let now = try await fixture.storage.entry(at: "a", of: ann)
        #expect(result == now.map { .updated($0) })
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 5, files: 1, revisionBytes: 3))
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "three")
        #expect(fixture.blobs.isTidy)
        #expect(fixture.metadata.abandoned.isEmpty)
    }

    @Test("of an upload that took effect is not made again over what came after it")
    func lateLookup() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { script in
            script.commits = [.lostAfterEffect]
            script.whenLost = { [storage = fixture.storage] in try await storage.put("later", at: "a", as: ann) }
        }
        let result = try await fixture.storage.put("first", at: "a", as: ann)
        #expect(result.record?.revision?.size == 5)
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "later")
    }

    @Test("again and again ends in an error that says to try later, and leaves nothing")
    func neverAnswered() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { $0.commits = Array(repeating: .lostBeforeEffect, count: 100) }
        let error = await #expect(throws: StorageError.self) { try await fixture.storage.put("x", at: "a", as: ann) }
        #expect(error?.code == .unavailable)
        #expect(error?.isTransient == true)
        #expect(fixture.blobs.isTidy)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree.isEmpty)
    }

    @Test("with an outcome that cannot be had is no success")
    func unknownOutcome() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { script in
            script.commits = [.lostBeforeEffect]
            script.lostOutcomes = 1
        }
        let error = await #expect(throws: StorageError.self) { try await fixture.storage.put("x", at: "a", as: ann) }
        #expect(error?.code == .unavailable)
        #expect(fixture.blobs.isTidy)
    }

    @Test("of a deletion deletes once", arguments: [[.lostBeforeEffect], [.lostAfterEffect]] as [Faults])
    func deletion(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a", as: ann)
        fixture.metadata.plan { $0.commits = faults }
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann))
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage())
    }

    @Test(
        "of a deletion spares what somebody put at the path meanwhile",
        arguments: [.lostBeforeEffect, .lostAfterEffect] as [FaultyMetadataStore.CommitFault])
    func deletionBesideUpload(_ fault: FaultyMetadataStore.CommitFault) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("old", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        fixture.metadata.plan { script in
            script.commits = [fault]
            script.whenLost = { [storage = fixture.storage] in
                if fault == .lostBeforeEffect { _ = try await storage.metadata.commit(.delete(selector, .none)) }
                try await storage.put("new", at: "a", as: ann)
            }
        }
        try await fixture.storage.delete(selector)
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "new")
    }

    @Test(
        "of a recursive deletion deletes all the same",
        arguments: [[.lostBeforeEffect], [.lostAfterEffect]] as [Faults])
    func recursiveDeletion(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a/b", as: ann)
        fixture.metadata.plan { $0.commits = faults }
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann), recursively: true)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree.isEmpty)
    }

    @Test("of a new folder makes it", arguments: [[.lostBeforeEffect], [.lostAfterEffect]] as [Faults])
    func folder(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        fixture.metadata.plan { $0.commits = faults }
        let result = try await fixture.storage.makeFolder(try FilePath("a/b"), as: ann)
        #expect(result.record?.path.text == "a/b")
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["a/", "a/b/"])
    }

    @Test("of a move moves once", arguments: [[.lostBeforeEffect], [.lostAfterEffect]] as [Faults])
    func move(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let before = try await fixture.storage.put("x", at: "a", as: ann).record
        fixture.metadata.plan { $0.commits = faults }
        let selector = try fixture.storage.selector("a", of: ann)
        let after = try await fixture.storage.move(selector, to: try FilePath("b/c"), as: ann, overwrite: false)
        #expect(after.id == before?.id)
        #expect(after.path.text == "b/c")
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["b/", "b/c"])
    }

    @Test("of a copy copies once", arguments: [[.lostBeforeEffect], [.lostAfterEffect]] as [Faults])
    func copy(_ faults: Faults) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a", as: ann)
        fixture.metadata.plan { $0.commits = faults }
        let selector = try fixture.storage.selector("a", of: ann)
        let copy = try await fixture.storage.copy(selector, to: try FilePath("b"), as: ann, overwrite: false)
        #expect(copy.path.text == "b")
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["a", "b"])
    }

    @Test(
        "in the middle of a copied folder copies all of it",
        arguments: 0..<5, [.lostBeforeEffect, .lostAfterEffect] as Faults)
    func copyTree(position: Int, fault: FaultyMetadataStore.CommitFault) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a/one", as: ann)
        try await fixture.storage.put("y", at: "a/sub/two", as: ann)
        _ = try await fixture.storage.makeFolder(try FilePath("a/empty"), as: ann)
        let before = fixture.metadata.commits.count
        fixture.metadata.plan { $0.commits = Array(repeating: nil, count: position) + [fault] }
        let selector = try fixture.storage.selector("a", of: ann)
        _ = try await fixture.storage.copy(selector, to: try FilePath("b"), as: ann, overwrite: false)
        // The folder itself and its four entries, and one of these a second time at most.
        #expect((5...6).contains(fixture.metadata.commits.count - before))
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree.filter { $0.hasPrefix("b") } == ["b/", "b/empty/", "b/one", "b/sub/", "b/sub/two"])
    }
}
