import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("The place of files that are published by their digest")
struct ByHashTests {
    /// Publishes a text by its digest, as the hash dialect does.
    @discardableResult
    private func publish(_ text: String, in storage: FileStorage, as principal: Principal) async throws -> FileRecord {
        let staged = try await storage.stage(ByteStream(ByteBuffer(string: text)), as: principal)
        let file = NewFile(publishing: staged.digest, mediaType: nil, sentName: "a.txt", precondition: .none)
        let result = try await storage.put(file, staged: staged, as: principal)
        await storage.discard(staged)
        return try #require(result.record)
    }

    @Test("takes them, and hands them out by path, id and digest")
    func publishes() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let record = try await publish("x", in: fixture.storage, as: ann)
        let digest = try #require(record.revision?.blob.digest)
        #expect(record.path.text == "by-hash/\(digest.hex)")
        #expect(record.revision?.mediaType.essence == "text/plain")
        #expect(record.revision?.sentName == "a.txt")
        let found = try await fixture.storage.file(.link(.hash(digest)))
        #expect(found == record)
    }

    @Test(
        "takes nothing else in the container of a registered account",
        arguments: ["by-hash", "by-hash/a", "by-hash/a/b", "by-hash/\(String(repeating: "0", count: 64))"])
    func refusesOthers(path: String) async throws {
        let fixture = StorageFixture()
        let storage = fixture.storage
        let ann = try await fixture.user()
        try await storage.put("x", at: "a", as: ann)
        try await storage.put("x", at: "folder/a", as: ann)
        let before = try await storage.tree(of: ann)
        let target = try FilePath(path)
        let (file, folder) = (try storage.selector("a", of: ann), try storage.selector("folder", of: ann))
        let body = WatchedBody()
        let attempts: [() async throws -> Void] = [
            { try await storage.put("y", at: path, as: ann) },
            { _ = try await storage.put(NewFile(path: target, link: .uid(.random())), body: body.stream(), as: ann) },
            { _ = try await storage.makeFolder(target, as: ann) },
            { _ = try await storage.move(file, to: target, as: ann, overwrite: true) },
            { _ = try await storage.move(folder, to: target, as: ann, overwrite: true) },
            { _ = try await storage.copy(file, to: target, as: ann, overwrite: true) },
            { _ = try await storage.copy(folder, to: target, as: ann, overwrite: true) },
        ]
        for (number, attempt) in attempts.enumerated() {
            let code = await refusalCode { try await attempt() }
            #expect(code == .pathConflict, "\(number)")
        }
        #expect(body.timesAsked == 0)
        let after = try await storage.tree(of: ann)
        #expect(after == before)
    }

    @Test("takes no file whose path or link is another digest's", arguments: [true, false])
    func refusesFalseNames(isPathFalse: Bool) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let staged = try await fixture.storage.stage(ByteStream(ByteBuffer(string: "x")), as: ann)
        let other = BlobDigest.random()
        let file = NewFile(
            path: .byHash(isPathFalse ? other : staged.digest), link: .hash(isPathFalse ? staged.digest : other))
        let code = await refusalCode { try await fixture.storage.put(file, staged: staged, as: ann) }
        #expect(code == .pathConflict)
        await fixture.storage.discard(staged)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree.isEmpty)
    }

    @Test("lets nothing be moved out, but copies and deletions work")
    func movesOut() async throws {
        let fixture = StorageFixture()
        let storage = fixture.storage
        let ann = try await fixture.user()
        let record = try await publish("x", in: storage, as: ann)
        let digest = try #require(record.revision?.blob.digest)
        let selector = FileSelector.id(record.container, record.id)
        let folder = try storage.selector("by-hash", of: ann)
        for source in [selector, folder] {
            let code = await refusalCode {
                try await storage.move(source, to: try FilePath("b"), as: ann, overwrite: true)
            }
            #expect(code == .pathConflict)
        }
        let copy = try await storage.copy(selector, to: try FilePath("copy"), as: ann, overwrite: false)
        #expect(copy.revision?.blob.digest == digest)
        _ = try await storage.copy(folder, to: try FilePath("all"), as: ann, overwrite: false)
        try await storage.delete(folder, recursively: true)
        let tree = try await storage.tree(of: ann)
        #expect(tree == ["all/", "all/\(digest.hex)", "copy"])
        let published = try await storage.metadata.file(.link(.hash(digest)))
        #expect(published == nil)
    }

    @Test("is an ordinary folder in the container of a token, and names that only begin like it are free to all")
    func ordinaryNames() async throws {
        let fixture = StorageFixture()
        let storage = fixture.storage
        let token = TokenDigest.random()
        let first = try await fixture.principal(of: token)
        try await storage.put("x", at: "by-hash/a", as: first)
        let holder = try await fixture.principal(of: token)
        _ = try await storage.makeFolder(try FilePath("by-hash/folder"), as: holder)
        let source = try storage.selector("by-hash/a", of: holder)
        _ = try await storage.move(source, to: try FilePath("by-hash/b"), as: holder, overwrite: false)
        let tree = try await storage.tree(of: holder)
        #expect(tree == ["by-hash/", "by-hash/b", "by-hash/folder/"])
        let ann = try await fixture.user()
        for path in ["by-hash-", "by-hashes/a", "a/by-hash/b", "By-Hash/a"] {
            try await storage.put("x", at: path, as: ann)
        }
    }
}
