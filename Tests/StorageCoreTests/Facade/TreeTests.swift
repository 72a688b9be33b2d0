import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("Deleting and moving")
struct TreeTests {
    @Test("a whole folder goes in batches and takes nothing with it that only begins like it")
    func deleteTree() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["a!", "a b/x", "a-", "a.txt", "a0", "ab/c"] {
            try await fixture.storage.put("x", at: path, as: ann)
        }
        let before = try await fixture.storage.tree(of: ann)
        for number in 0..<2_500 { try await fixture.storage.put("y", at: "a/\(number % 7)/\(number)", as: ann) }
        let commits = fixture.metadata.commits.count
        try await fixture.storage.delete(try fixture.storage.selector("a", of: ann), recursively: true)
        // 2,500 files and 7 folders below: at most 1,000 of them in one transaction.
        #expect(fixture.metadata.commits.count - commits == 3)
        let after = try await fixture.storage.tree(of: ann)
        #expect(after == before)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 6, files: 6))
    }

    @Test("a folder with entries stays unless it is deleted recursively")
    func folderNotEmpty() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a/b", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        let error = await #expect(throws: StorageError.self) { try await fixture.storage.delete(selector) }
        #expect(error?.code == .folderNotEmpty)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["a/", "a/b"])
    }

    @Test("an empty folder and a file go, recursively or not", arguments: [true, false], ["folder", "file"])
    func plain(recursively: Bool, path: String) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        _ = try await fixture.storage.makeFolder(try FilePath("folder"), as: ann)
        try await fixture.storage.put("x", at: "file", as: ann)
        try await fixture.storage.delete(try fixture.storage.selector(path, of: ann), recursively: recursively)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["file", "folder/"].filter { !$0.hasPrefix(path) })
    }

    @Test("a deletion needs its conditions, of a folder too", arguments: [true, false], ["folder", "file"])
    func conditions(recursively: Bool, path: String) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        _ = try await fixture.storage.makeFolder(try FilePath("folder"), as: ann)
        try await fixture.storage.put("x", at: "file", as: ann)
        let selector = try fixture.storage.selector(path, of: ann)
        let changed = Precondition(ifMatch: .revisions([RevisionID()]))
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.delete(selector, if: changed, recursively: recursively)
        }
        #expect(error?.code == .preconditionFailed)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree.count == 2)
    }

    @Test("what is not there cannot be deleted, moved or copied")
    func absent() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let selector = try fixture.storage.selector("nothing", of: ann)
        let target = try FilePath("b")
        let storage = fixture.storage
        let attempts: [@Sendable () async throws -> Void] = [
            { try await storage.delete(selector) },
            { try await storage.delete(selector, recursively: true) },
            { _ = try await storage.move(selector, to: target, as: ann, overwrite: false) },
            { _ = try await storage.copy(selector, to: target, as: ann, overwrite: false) },
        ]
        for attempt in attempts {
            let code = await refusalCode { try await attempt() }
            #expect(code == .notFound)
        }
    }

    @Test("a move keeps the id, the revisions and everything below, and gives the kind of the new name")
    func move() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let file = NewFile(path: try FilePath("a/picture.png"))
        let before = try await fixture.storage.put(file, body: ByteStream(ByteBuffer(string: "x")), as: ann).record
        _ = try await fixture.storage.makeFolder(try FilePath("a/empty"), as: ann)
        let folder = try fixture.storage.selector("a", of: ann)
        _ = try await fixture.storage.move(folder, to: try FilePath("x/y"), as: ann, overwrite: false)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["x/", "x/y/", "x/y/empty/", "x/y/picture.png"])
        let moved = try await fixture.storage.entry(at: "x/y/picture.png", of: ann)
        #expect(moved?.id == before?.id)
        #expect(moved?.revision == before?.revision)

        let selector = try fixture.storage.selector("x/y/picture.png", of: ann)
        let renamed = try await fixture.storage.move(selector, to: try FilePath("song.mp3"), as: ann, overwrite: false)
        #expect(renamed.id == before?.id)
        #expect(before?.kind == .image)
        #expect(renamed.kind == .media)
    }

    @Test("a move onto a file needs to be told to overwrite it")
    func moveOntoFile() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let one = try await fixture.storage.put("one", at: "a", as: ann).record
        try await fixture.storage.put("three", at: "b", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        let target = try FilePath("b")
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.move(selector, to: target, as: ann, overwrite: false)
        }
        #expect(error?.code == .exists)
        let moved = try await fixture.storage.move(selector, to: target, as: ann, overwrite: true)
        #expect(moved.id == one?.id)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["b"])
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 3, files: 1))
    }

    @Test(
        "a move that the tree does not allow is refused and changes nothing",
        arguments: [
            ("folder", "folder/inside"), ("folder", "folder/file"), ("folder", "file"), ("file", "folder"),
            ("file", "file/below"), ("folder", "file/below"), ("folder", "other"),
        ])
    func refusedMove(source: String, target: String) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["folder/file", "other/file", "file"] { try await fixture.storage.put("x", at: path, as: ann) }
        let before = try await fixture.storage.tree(of: ann)
        let selector = try fixture.storage.selector(source, of: ann)
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.move(selector, to: try FilePath(target), as: ann, overwrite: true)
        }
        #expect([.pathConflict, .exists].contains(error?.code))
        let after = try await fixture.storage.tree(of: ann)
        #expect(after == before)
    }

    @Test("a move or copy to the same path is a success that changes nothing", arguments: ["file", "folder"])
    func samePath(path: String) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "file", as: ann)
        _ = try await fixture.storage.makeFolder(try FilePath("folder"), as: ann)
        let before = try await fixture.storage.entry(at: path, of: ann)
        let selector = try fixture.storage.selector(path, of: ann)
        let moved = try await fixture.storage.move(selector, to: try FilePath(path), as: ann, overwrite: false)
        #expect(moved == before)
        if path == "file" {
            let copied = try await fixture.storage.copy(selector, to: try FilePath(path), as: ann, overwrite: false)
            #expect(copied == before)
        }
    }

    @Test("nobody moves or copies what is another's")
    func foreign() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user("ann")
        let bob = try await fixture.user("bob")
        try await fixture.storage.put("x", at: "a", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        let target = try FilePath("b")
        for principal in [bob, Principal(identity: .newContainer(.random()))] {
            for copies in [true, false] {
                let code = await refusalCode {
                    copies
                        ? try await fixture.storage.copy(selector, to: target, as: principal, overwrite: true)
                        : try await fixture.storage.move(selector, to: target, as: principal, overwrite: true)
                }
                #expect(code == .notFound)
            }
        }
    }
}
