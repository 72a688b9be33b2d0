import Foundation
import Testing

@testable import StorageCore

@Suite("Opening a store on disk")
struct StoreOpeningTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func code(_ path: String) async -> StorageError.Code? {
        await codeThrown { _ = try await LocalDiskBlobStore.open(directory: path) }
    }

    @Test("makes a missing directory with mode 0700, its folders and a durable id", arguments: [true, false])
    func newStore(unnamed: Bool) async throws {
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.allowsUnnamedFiles = unnamed
        let path = "\(directory.path)/new/data/"
        let store = try await LocalDiskBlobStore.open(directory: path, configuration: configuration)
        #expect(store.isNew)
        #expect(!store.isSuspect)
        #expect(Identifier<LocalDiskBlobStore>(text: store.storeID.utf8) != nil)
        let manager = FileManager.default
        #expect(try manager.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
        #expect(try manager.attributesOfItem(atPath: "\(path)/store.id")[.posixPermissions] as? Int == 0o600)
        #expect(
            try manager.contentsOfDirectory(atPath: path).sorted() == ["containers", "staging", "store", "store.id"])
        #expect(try manager.contentsOfDirectory(atPath: "\(path)/store").count == 256)
        await store.shutdown()
    }

    @Test("keeps its id over the years")
    func sameID() async throws {
        let first = try await LocalDiskBlobStore.open(directory)
        await first.shutdown()
        let second = try await LocalDiskBlobStore.open(directory)
        #expect(!second.isNew)
        #expect(second.storeID == first.storeID)
    }

    @Test("of two that open a new directory at once one makes the id")
    func simultaneousStart() async throws {
        let path = directory.path
        let stores = try await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await LocalDiskBlobStore.open(directory: path) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(stores.count { $0.isNew } == 1)
        #expect(Set(stores.map(\.storeID)).count == 1)
    }

    @Test("refuses a directory that others may reach into", arguments: [0o755, 0o750, 0o701, 0o770])
    func wrongMode(mode: Int) async throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory.path)
        #expect(await code(directory.path) == .wrongStore)
        #expect(try directory.files.isEmpty)
    }

    @Test("refuses a directory of another user", .enabled(if: geteuid() == 0, "only root can give a directory away"))
    func wrongOwner() async throws {
        try #require(chown(directory.path, 12_345, 12_345) == 0)
        #expect(await code(directory.path) == .wrongStore)
    }

    @Test("refuses a symlink, with and without a slash behind it", arguments: ["", "/"])
    func symlink(slash: String) async throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: "\(directory.path)/real", withIntermediateDirectories: false)
        try manager.createSymbolicLink(atPath: "\(directory.path)/link", withDestinationPath: "real")
        #expect(await code("\(directory.path)/link\(slash)") == .wrongStore)
        #expect(try directory.files.isEmpty)
    }

    @Test("refuses a file, and a directory below a file")
    func file() async throws {
        try #require(FileManager.default.createFile(atPath: "\(directory.path)/file", contents: Data("x".utf8)))
        #expect(await code("\(directory.path)/file") == .wrongStore)
        #expect(await code("\(directory.path)/file/below") == .wrongStore)
        #expect(await code("") == .wrongStore)
    }

    @Test("refuses a folder with other things in it and leaves it as it is")
    func foreignFolder() async throws {
        try #require(FileManager.default.createFile(atPath: "\(directory.path)/thesis.doc", contents: Data("x".utf8)))
        #expect(await code(directory.path) == .wrongStore)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["thesis.doc"])
    }

    @Test("accepts a folder that has only the server's own files and those of the file system")
    func neighbours() async throws {
        for name in ["storaged.sqlite", "storaged.sqlite-wal", "store.id.new-0123"] {
            try #require(FileManager.default.createFile(atPath: "\(directory.path)/\(name)", contents: Data()))
        }
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/lost+found", withIntermediateDirectories: false)
        #expect(try await LocalDiskBlobStore.open(directory).isNew)
    }

    @Test("refuses a store.id that is none", arguments: ["", "hello", "00000000-0000-4000-8000-00000000000g"])
    func brokenID(text: String) async throws {
        try #require(FileManager.default.createFile(atPath: "\(directory.path)/store.id", contents: Data(text.utf8)))
        #expect(await code(directory.path) == .wrongStore)
    }

    @Test(
        "refuses a planted symlink in place of one of its folders",
        arguments: ["store", "containers", "staging", "store/ab"])
    func plantedFolder(name: String) async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        await store.shutdown()
        let elsewhere = try TemporaryDirectory()
        let manager = FileManager.default
        try manager.removeItem(atPath: "\(directory.path)/\(name)")
        try manager.createSymbolicLink(atPath: "\(directory.path)/\(name)", withDestinationPath: elsewhere.path)
        #expect(await code(directory.path) == .wrongStore)
        #expect(try manager.contentsOfDirectory(atPath: elsewhere.path).isEmpty)
    }

    @Test(
        "refuses what is no store when it may not make one, and leaves it as it is",
        arguments: [["empty"], ["thesis.doc"], ["storaged.sqlite"], ["store.id"], ["store", "containers"]])
    func noStore(names: [String]) async throws {
        for name in names where name != "empty" {
            try #require(FileManager.default.createFile(atPath: "\(directory.path)/\(name)", contents: Data("x".utf8)))
        }
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.createsStore = false
        for path in [directory.path, "\(directory.path)/missing", "\(directory.path)/missing/below"] {
            let code = await codeThrown {
                _ = try await LocalDiskBlobStore.open(directory: path, configuration: configuration)
            }
            #expect(code == .wrongStore)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(left == names.filter { $0 != "empty" }.sorted())
    }

    @Test("opens a store that is there without making or removing anything")
    func existingStore() async throws {
        let first = try await LocalDiskBlobStore.open(directory)
        let staging = "\(directory.path)/staging/" + String(repeating: "a", count: 32)
        try #require(FileManager.default.createFile(atPath: staging, contents: Data("x".utf8)))
        try FileManager.default.setAttributes(
            [.modificationDate: Date.now.addingTimeInterval(-25 * 60 * 60)], ofItemAtPath: staging)
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.createsStore = false
        let second = try await LocalDiskBlobStore.open(directory: directory.path, configuration: configuration)
        #expect(second.storeID == first.storeID)
        #expect(!second.isNew)
        #expect(FileManager.default.fileExists(atPath: staging))
        await second.shutdown()
        try FileManager.default.removeItem(atPath: "\(directory.path)/store/ab")
        let code = await codeThrown {
            _ = try await LocalDiskBlobStore.open(directory: directory.path, configuration: configuration)
        }
        #expect(code == .wrongStore)
        #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/store/ab"))
    }

    @Test("names the directory for operators, and not in the message")
    func message() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path)
        let error = await #expect(throws: StorageError.self) {
            try await LocalDiskBlobStore.open(directory: directory.path)
        }
        #expect(error?.message.contains(directory.path) == false)
        #expect(error?.description.contains(directory.path) == true)
    }

    @Test("removes what a crash left in the staging folder more than a day ago, and nothing else there")
    func leftovers() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        await store.shutdown()
        let staging = "\(directory.path)/staging"
        let old = String(repeating: "a", count: 32)
        let young = String(repeating: "b", count: 32)
        for name in [old, young, "notes.txt"] {
            try #require(FileManager.default.createFile(atPath: "\(staging)/\(name)", contents: Data("x".utf8)))
        }
        let past = Date.now.addingTimeInterval(-25 * 60 * 60)
        for name in [old, "notes.txt"] {
            try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: "\(staging)/\(name)")
        }
        let again = try await LocalDiskBlobStore.open(directory)
        #expect(try FileManager.default.contentsOfDirectory(atPath: staging).sorted() == [young, "notes.txt"])
        #expect(try await again.keys(after: nil, limit: 10).isEmpty)
    }

    @Test("leaves no descriptor open when it refuses")
    func noLeak() async throws {
        _ = try await LocalDiskBlobStore.open(directory)
        let identity = "\(directory.path)/store.id"
        try Data("broken".utf8).write(to: URL(filePath: identity))
        for _ in 0..<20 { #expect(await code(directory.path) == .wrongStore) }
        #expect(try directory.openFiles.isEmpty)
    }
}
