import NIOCore
import StorageCore
import Testing

@Suite("Copying")
struct CopyTests {
    @Test("a file gives it another path and id, and its bytes are stored once")
    func file() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let source = try await fixture.storage.put("hello", at: "a.txt", as: ann).record
        let selector = try fixture.storage.selector("a.txt", of: ann)
        let copy = try await fixture.storage.copy(selector, to: try FilePath("new/b.png"), as: ann, overwrite: false)
        #expect(copy.id != source?.id)
        #expect(copy.revision?.blob == source?.revision?.blob)
        #expect(copy.kind == .image)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 10, files: 2))
        let keys = try await fixture.keys()
        #expect(keys.count == 1)
    }

    @Test("a file onto another needs to be told so, and then keeps the old bytes as a revision")
    func ontoFile() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("one", at: "a", as: ann)
        let target = try await fixture.storage.put("three", at: "b", as: ann).record
        let selector = try fixture.storage.selector("a", of: ann)
        let path = try FilePath("b")
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.copy(selector, to: path, as: ann, overwrite: false)
        }
        #expect(error?.code == .exists)
        let copy = try await fixture.storage.copy(selector, to: path, as: ann, overwrite: true)
        #expect(copy.id == target?.id)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 6, files: 2, revisionBytes: 5))
    }

    @Test("a folder copies everything below it, empty folders included")
    func folder() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["a/one", "a/b/two", "a/b/c/three", "a!", "ab/x"] {
            try await fixture.storage.put(path, at: path, as: ann)
        }
        for path in ["a/empty", "a/b/empty/deeper"] {
            _ = try await fixture.storage.makeFolder(try FilePath(path), as: ann)
        }
        let below = try await fixture.storage.tree(of: ann, below: try FilePath("a"))
        let selector = try fixture.storage.selector("a", of: ann)
        let copy = try await fixture.storage.copy(selector, to: try FilePath("x/y"), as: ann, overwrite: false)
        #expect(copy.path.text == "x/y")
        #expect(copy.isFolder)
        let copied = try await fixture.storage.tree(of: ann, below: try FilePath("x/y"))
        #expect(copied == below.map { "x/y" + $0.dropFirst(1) })
        let text = try await fixture.storage.text(at: "x/y/b/c/three", of: ann)
        #expect(text == "a/b/c/three")
        let source = try await fixture.storage.tree(of: ann, below: try FilePath("a"))
        #expect(source == below)
    }

    @Test("a folder with more entries than a page has copies all of them")
    func manyEntries() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for number in 0..<2_100 { try await fixture.storage.put("x", at: "a/\(number)", as: ann) }
        let selector = try fixture.storage.selector("a", of: ann)
        _ = try await fixture.storage.copy(selector, to: try FilePath("b"), as: ann, overwrite: false)
        let copied = try await fixture.storage.tree(of: ann, below: try FilePath("b"))
        #expect(copied.count == 2_100)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 4_200, files: 4_200))
    }

    @Test("a folder into itself is refused, but not beside itself")
    func intoItself() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("x", at: "a/one", as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        for target in ["a", "a/b", "a/one/c"] {
            for overwrite in [true, false] {
                let error = await #expect(throws: StorageError.self) {
                    try await fixture.storage.copy(selector, to: try FilePath(target), as: ann, overwrite: overwrite)
                }
                #expect(error?.code == .pathConflict)
            }
        }
        _ = try await fixture.storage.copy(selector, to: try FilePath("ab"), as: ann, overwrite: false)
        let tree = try await fixture.storage.tree(of: ann)
        #expect(tree == ["a/", "a/one", "ab/", "ab/one"])
    }

    @Test("a folder onto what exists needs to be told so, and then adds and replaces")
    func intoFolder() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["a/both", "a/only", "b/both", "b/kept"] { try await fixture.storage.put(path, at: path, as: ann) }
        let selector = try fixture.storage.selector("a", of: ann)
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.copy(selector, to: try FilePath("b"), as: ann, overwrite: false)
        }
        #expect(error?.code == .exists)
        _ = try await fixture.storage.copy(selector, to: try FilePath("b"), as: ann, overwrite: true)
        let tree = try await fixture.storage.tree(of: ann, below: try FilePath("b"))
        #expect(tree == ["b/both", "b/kept", "b/only"])
        let text = try await fixture.storage.text(at: "b/both", of: ann)
        #expect(text == "a/both")
    }

    @Test("a folder onto a file is refused", arguments: [true, false])
    func ontoFile(overwrite: Bool) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["a/x", "b"] { try await fixture.storage.put(path, at: path, as: ann) }
        let selector = try fixture.storage.selector("a", of: ann)
        let error = await #expect(throws: StorageError.self) {
            try await fixture.storage.copy(selector, to: try FilePath("b"), as: ann, overwrite: overwrite)
        }
        #expect(error?.code == (overwrite ? .pathConflict : .exists))
    }

    @Test("a folder whose paths would become too long is refused", arguments: [true, false])
    func tooLong(copies: Bool) async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        let long = (0..<4).map { _ in String(repeating: "x", count: 250) }.joined(separator: "/")
        try await fixture.storage.put("x", at: "a/" + long, as: ann)
        let selector = try fixture.storage.selector("a", of: ann)
        let target = try FilePath(String(repeating: "b", count: 30))
        let code = await refusalCode {
            copies
                ? try await fixture.storage.copy(selector, to: target, as: ann, overwrite: false)
                : try await fixture.storage.move(selector, to: target, as: ann, overwrite: false)
        }
        #expect(code == .invalidPath)
    }
}
