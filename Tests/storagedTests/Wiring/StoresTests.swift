import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Testing

@testable import storaged

@Suite("A daemon and its data directory")
struct StoresTests {
    @Test("belong to one daemon at a time, and to the next when it has ended")
    func oneAtATime() async throws {
        let directory = try DataDirectory()
        let configuration = try directory.configuration()
        let first = try await Assembly(configuration)
        for _ in 0..<2 {
            let refusal = try await directory.refusal()
            #expect(refusal == .wrongStore)
        }
        await first.close()
        let afterwards = try await directory.refusal()
        #expect(afterwards == nil)
    }

    @Test("are made with rights for nobody else")
    func permissions() async throws {
        let directory = try DataDirectory()
        let refusal = try await directory.refusal()
        #expect(refusal == nil)
        let folders = try [".", "store", "containers"].map { try directory.permissions($0) }
        #expect(folders == [0o700, 0o700, 0o700])
        let database = try directory.permissions("storaged.sqlite")
        #expect(database == 0o600)
    }

    @Test("are refused when the store is not the one that the database knows")
    func otherStore() async throws {
        let directory = try DataDirectory()
        try await directory.serve { client in
            let answer = try await client.send(.put, "/api/files/a", body: "hello")
            #expect(answer.status == .noContent)
        }
        let id = try directory.read("store.id")
        try directory.write("\(UUID().uuidString.lowercased())\n", to: "store.id")
        var refusal = try await directory.refusal()
        #expect(refusal == .wrongStore)
        try directory.write("nonsense\n", to: "store.id")
        refusal = try await directory.refusal()
        #expect(refusal == .wrongStore)
        try directory.write(id, to: "store.id")
        refusal = try await directory.refusal()
        #expect(refusal == nil)
    }

    @Test("are refused when the database is another directory's")
    func otherDatabase() async throws {
        let (one, other) = (try DataDirectory(), try DataDirectory())
        for directory in [one, other] {
            let refusal = try await directory.refusal()
            #expect(refusal == nil)
        }
        let refusal = try await other.refusal(["database.url": "sqlite:\(one.path)/storaged.sqlite"])
        #expect(refusal == .wrongStore)
    }

    @Test("are refused where the database knows another store, and nothing is made")
    func nothingMade() async throws {
        let (one, other) = (try DataDirectory(), try DataDirectory())
        #expect(try await one.refusal() == nil)
        let settings = ["database.url": "sqlite:\(one.path)/storaged.sqlite"]
        #expect(try await other.refusal(settings) == .wrongStore)
        #expect(!FileManager.default.fileExists(atPath: other.path))
        try FileManager.default.createDirectory(
            atPath: other.path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        #expect(try await other.refusal(settings) == .wrongStore)
        #expect(try FileManager.default.contentsOfDirectory(atPath: other.path) == [])
    }

    @Test("get back the folders that they have lost")
    func lostFolders() async throws {
        let directory = try DataDirectory()
        #expect(try await directory.refusal() == nil)
        try FileManager.default.removeItem(atPath: directory.path + "/containers")
        #expect(try await directory.refusal() == nil)
        #expect(FileManager.default.fileExists(atPath: directory.path + "/containers"))
    }

    @Test("are refused again and again when there are files but the database is new")
    func filesWithoutDatabase() async throws {
        let directory = try DataDirectory()
        try await directory.serve { client in
            let answer = try await client.send(.put, "/api/files/a", body: "hello")
            #expect(answer.status == .noContent)
        }
        let files = try directory.files
        try directory.removeDatabase()
        for _ in 0..<2 {
            let refusal = try await directory.refusal()
            #expect(refusal == .wrongStore)
        }
        let left = try directory.files
        #expect(left == files)
        #expect(files.count == 1)
    }

    @Test("may get a new database as long as there are no files")
    func emptyStore() async throws {
        let directory = try DataDirectory()
        var refusal = try await directory.refusal()
        #expect(refusal == nil)
        try directory.removeDatabase()
        refusal = try await directory.refusal()
        #expect(refusal == nil)
    }

    @Test("are refused, and left alone, when the directory is somebody else's")
    func foreignDirectory() async throws {
        let directory = try DataDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try directory.write("private", to: "letter.txt")
        let refusal = try await directory.refusal()
        #expect(refusal == .wrongStore)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names == ["letter.txt"])
    }

    @Test("are refused when the schema is missing and may only be looked at")
    func missingSchema() async throws {
        let directory = try DataDirectory()
        var refusal = try await directory.refusal(["database.migrate": "check"])
        #expect(refusal == .wrongStore)
        refusal = try await directory.refusal()
        #expect(refusal == nil)
        refusal = try await directory.refusal(["database.migrate": "check"])
        #expect(refusal == nil)
    }

    @Test("are not needed for archives of many entries when everything is kept in memory", arguments: ["zip", "7z"])
    func archiveInMemory(format: String) async throws {
        let directory = try DataDirectory()
        try await directory.serve(["database.url": "memory:"]) { client in
            // Their names alone take more than an archive keeps in memory.
            let name = String(repeating: "n", count: 250)
            for number in 0..<400 { try await client.send(.put, "/api/files/f/\(number)\(name)", body: "x") }
            let archive = try await client.send(.get, "/api/v1/files/download?path=f&compression=\(format)")
            #expect(archive.status == .ok)
            #expect(archive.body.readableBytes > 400 * 250)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path))
    }

    @Test("are not needed when everything is kept in memory")
    func memory() async throws {
        let directory = try DataDirectory()
        try await directory.serve(["database.url": "memory:"]) { client in
            try await client.send(.put, "/api/files/a", body: "hello")
            let answer = try await client.send(.get, "/api/files/a")
            #expect(answer.text == "hello")
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path))
        let second = try await Assembly(try directory.configuration(["database.url": "memory:"]))
        let third = try await Assembly(try directory.configuration(["database.url": "memory:"]))
        await second.close()
        await third.close()
    }

    @Test("that do not fit end the process as a wrong configuration does")
    func exitStatus() async throws {
        let directory = try DataDirectory()
        let configuration = try directory.configuration()
        let first = try await Assembly(configuration)
        let error = await #expect(throws: Refusal.self) {
            try await Refusal.translating { _ = try await Assembly(configuration) }
        }
        await first.close()
        #expect(error?.exitStatus == .configuration)
        #expect(error?.description.contains("in use") == true)
    }
}
