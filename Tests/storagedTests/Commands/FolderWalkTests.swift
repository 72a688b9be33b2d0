import Foundation
import StorageCore
import Testing

@testable import storaged

@Suite("A walk through a local folder")
struct FolderWalkTests {
    private let tree: LocalTree

    init() throws {
        tree = try LocalTree()
    }

    /// Every entry as one line, in order.
    private func entries(excluding: [String] = [], in target: String? = nil) throws -> [String] {
        let base = try target.map { try FilePath($0) }
        let walk = try FolderWalk(
            LocalFolder(path: tree.path),
            excluding: Set(excluding.compactMap { LocalFolder.Identity(path: "\(tree.path)/\($0)") })
        ) { name in
            guard let base else { return try FilePath(name) }
            return name.isEmpty ? base : try base.appending(name)
        }
        var lines: [String] = []
        while let entry = walk.next() {
            switch entry {
            case .file(let file): lines.append("file \(file.path) \(file.state.size)")
            case .emptyFolder(let path): lines.append("folder \(path)")
            case .skipped(let name, let reason): lines.append("skipped \(LocalName.shown(name)): \(reason)")
            case .refused(let name, let reason): lines.append("refused \(LocalName.shown(name)): \(reason)")
            }
        }
        return lines.sorted()
    }

    @Test("finds every file at every depth, and the folders that hold nothing")
    func everything() throws {
        try tree.write("12345", to: "a.txt")
        try tree.write("", to: "b/c/d/.hidden")
        try tree.folder("e/f")
        let found = try entries()
        #expect(found == ["file /a.txt 5", "file /b/c/d/.hidden 0", "folder /e/f"])
        let below = try entries(in: "x/y")
        #expect(below == ["file /x/y/a.txt 5", "file /x/y/b/c/d/.hidden 0", "folder /x/y/e/f"])
    }

    @Test("of an empty folder finds nothing to make at the root, and the folder that it is to be elsewhere")
    func empty() throws {
        #expect(try entries() == [])
        #expect(try entries(in: "x") == ["folder /x"])
    }

    @Test("follows no symlink, opens no pipe, and says so; a folder of nothing else is empty")
    func specialFiles() throws {
        try tree.write("secret", to: "outside/secret.txt")
        try tree.folder("inside/only")
        try tree.link("inside/only/file", to: "../../outside/secret.txt")
        try tree.link("inside/only/folder", to: "../../outside")
        try tree.link("inside/only/dangling", to: "nowhere")
        try tree.link("inside/only/loop", to: ".")
        try tree.pipe("inside/only/pipe")
        let found = try entries()
        #expect(
            found == [
                "file /outside/secret.txt 6", "folder /inside/only",
                "skipped inside/only/dangling: a symbolic link", "skipped inside/only/file: a symbolic link",
                "skipped inside/only/folder: a symbolic link", "skipped inside/only/loop: a symbolic link",
                "skipped inside/only/pipe: a pipe",
            ])
    }

    @Test("keeps names byte for byte and refuses those that cannot be a path, folders with all below them")
    func names() throws {
        for name in ["é", "e\u{301}", "a\\b", "  ", "%2e", "#?&+", "漢字", "'\""] { try tree.write("", to: name) }
        try tree.write("", to: "line\nbreak")
        try tree.write("", to: "tab\tfolder/below.txt")
        try tree.write(toName: [0x62, 0xFF, 0x63])
        try tree.write(toName: [0xC0, 0xAF])
        let found = try entries()
        let files = ["é", "e\u{301}", "a\\b", "  ", "%2e", "#?&+", "漢字", "'\""].map { "file /\($0) 0" }
        #expect(
            Set(found.filter { $0.utf8.starts(with: "file".utf8) }.map { Array($0.utf8) })
                == Set(files.map { Array($0.utf8) }))
        let refused = found.filter { $0.utf8.starts(with: "refused".utf8) }
        #expect(
            refused == [
                "refused \\xc0\\xaf: A path must be valid UTF-8.", "refused b\\xffc: A path must be valid UTF-8.",
                "refused line\\u{a}break: A path must not have control characters.",
                "refused tab\\u{9}folder: A path must not have control characters.",
            ])
    }

    @Test("goes no deeper than a path can be long")
    func depth() throws {
        var path = tree.path
        for _ in 0..<30 {
            path += "/" + String(repeating: "d", count: 40)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let found = try entries()
        #expect(found.count == 2, "\(found)")
        #expect(found.first?.hasPrefix("folder /ddd") == true)
        #expect(found.last?.hasSuffix("A path must not be longer than 1024 bytes.") == true)
    }

    @Test("leaves out the folders and files that it is told to, wherever they lie and whatever their names are")
    func excluded() throws {
        try tree.write("", to: "data/store/ab/blob")
        try tree.write("", to: "a")
        try tree.write("", to: "db/x.sqlite")
        try #require(Foundation.link("\(tree.path)/db/x.sqlite", "\(tree.path)/copy") == 0)
        let found = try entries(excluding: ["data", "db/x.sqlite", "missing"])
        #expect(
            found == [
                "file /a 0", "folder /db", "skipped copy: a part of the store itself",
                "skipped data: a part of the store itself",
                "skipped db/x.sqlite: a part of the store itself",
            ])
    }

    @Test("reports what may not be read and goes on")
    func unreadable() throws {
        try tree.write("", to: "a")
        try tree.write("", to: "closed/b")
        try tree.write("", to: "c")
        for (name, permissions) in [("a", 0), ("closed", 0), ("c", 0o644), (".", 0o755)] {
            try FileManager.default.setAttributes(
                [.posixPermissions: permissions], ofItemAtPath: "\(tree.path)/\(name)")
        }
        let found = try withoutPrivileges { try entries() }
        #expect(found == ["file /c 0", "refused a: Permission denied", "refused closed: Permission denied"])
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: "\(tree.path)/closed")
    }

    /// Root may read everything: while `body` runs, this thread alone reads files as a user that may not (setfsuid(2)).
    private func withoutPrivileges<Result>(_ body: () throws -> Result) throws -> Result {
        guard geteuid() == 0 else { return try body() }
        typealias SetFileSystemUser = @convention(c) (uid_t) -> CInt
        let symbol = try #require(dlsym(nil, "setfsuid"))
        let become = unsafeBitCast(symbol, to: SetFileSystemUser.self)
        _ = become(65534)
        defer { _ = become(0) }
        return try body()
    }

    @Test("knows a folder that lies inside another, by whatever name")
    func inside() throws {
        try tree.folder("data/store")
        try tree.link("link", to: "data/store")
        let data = try #require(LocalFolder.Identity(path: "\(tree.path)/data"))
        for (name, expected) in [("data", true), ("data/store", true), ("link", true), ("", false)] {
            #expect(try LocalFolder(path: "\(tree.path)/\(name)").isInside(data) == expected, "\(name)")
        }
        #expect(throws: LocalFileError.self) { try LocalFolder(path: "\(tree.path)/missing") }
    }

    @Test("holds one descriptor for each level and none afterwards")
    func descriptors() throws {
        try tree.write("", to: "a/b/c")
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        for _ in 0..<200 { _ = try entries() }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        #expect(after < before + 100)
    }
}
