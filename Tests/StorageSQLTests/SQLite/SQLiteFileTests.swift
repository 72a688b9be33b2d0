import Foundation
import GRDB
import StorageCore
import StorageSQL
import StorageSQLite
import Testing

@Suite struct SQLiteFileTests {
    @Test func theDatabaseItsLogAndItsIndexAreForTheirOwnerOnly() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            let database = try SQLiteDatabase.open(path: path)
            try await database.makeItems()
            for file in [path, path + "-wal", path + "-shm"] {
                #expect(try permissions(of: file) == 0o600, "\(file)")
            }
            try await database.close()
        }
    }

    @Test func rightsThatOthersHaveAreTakenFromThem() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            try #require(
                FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644]))
            let database = try SQLiteDatabase.open(path: path)
            #expect(try permissions(of: path) == 0o600)
            try await database.close()
        }
    }

    @Test func commitsAreSyncedUnlessAllBodiesAreRelaxed() async throws {
        try await withTemporaryDirectory { directory in
            let database = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
            for (durability, expected) in [(.durable, 2), (.relaxed, 1), (.relaxed, 1), (.durable, 2)]
                as [(SQLDurability, Int64)]
            {
                let mode = try await database.write(durability) { session in
                    try session.first("PRAGMA synchronous", [])?.integer(0)
                }
                #expect(mode == expected)
            }
            try await database.close()
        }
    }

    @Test(arguments: [("foreign_keys", Int64(1)), ("busy_timeout", 5000), ("temp_store", 2)])
    func everyConnectionIsSetUp(_ pragma: String, _ expected: Int64) async throws {
        try await withTemporaryDirectory { directory in
            let database = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
            let reading = try await database.read { try $0.first("PRAGMA \(pragma)", [])?.integer(0) }
            let writing = try await database.write(.durable) { try $0.first("PRAGMA \(pragma)", [])?.integer(0) }
            let mode = try await database.write(.durable) { try $0.first("PRAGMA journal_mode", [])?.text(0) }
            #expect(reading == expected)
            #expect(writing == expected)
            #expect(mode == "wal")
            try await database.close()
        }
    }

    @Test func whatWasWrittenIsThereWhenTheFileIsOpenedAgain() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            let first = try SQLiteDatabase.open(path: path)
            try await first.makeItems()
            try await first.write(.relaxed) { try $0.insert(1) }
            try await first.close()
            try await first.close()
            let second = try SQLiteDatabase.open(path: path)
            let ids = try await second.ids()
            #expect(ids == [1])
            try await second.close()
        }
    }

    @Test(arguments: ["metadata.sqlite", "file:metadata?mode=memory", ":memory:", "a name with #?%41"])
    func everyNameIsTheNameOfAFile(_ name: String) async throws {
        try await withTemporaryDirectory { directory in
            let database = try SQLiteDatabase.open(path: directory + "/" + name)
            try await database.makeItems()
            #expect(FileManager.default.fileExists(atPath: directory + "/" + name))
            try await database.close()
        }
    }

    @Test func aFileThatIsNoDatabaseIsRefusedAndLeftAlone() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            let content = Data(repeating: UInt8(ascii: "x"), count: 5000)
            try content.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: StorageError.self) { try SQLiteDatabase.open(path: path) }
            #expect(error?.code == .wrongStore)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
        }
    }

    @Test(arguments: ["CREATE TABLE notes (id INTEGER)", "PRAGMA application_id = 77", "PRAGMA application_id = -1"])
    func theDatabaseOfAnotherApplicationIsRefusedAndLeftAlone(_ sql: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            let other = try DatabaseQueue(path: path)
            try await other.writeWithoutTransaction { try $0.execute(sql: sql) }
            try other.close()
            let content = try Data(contentsOf: URL(fileURLWithPath: path))
            let error = #expect(throws: StorageError.self) { try SQLiteDatabase.open(path: path) }
            #expect(error?.code == .wrongStore)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
    }

    @Test func whereNoFileMayBeMadeOnlyOneOfOursIsOpened() async throws {
        try await withTemporaryDirectory { directory in
            var options = SQLiteDatabase.Options()
            options.createsFile = false
            let path = directory + "/metadata.sqlite"
            let manager = FileManager.default
            #expect(throws: StorageError.self) { try SQLiteDatabase.open(path: path, options) }
            #expect(try manager.contentsOfDirectory(atPath: directory) == [])
            try #require(manager.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644]))
            let error = #expect(throws: StorageError.self) { try SQLiteDatabase.open(path: path, options) }
            #expect(error?.code == .wrongStore)
            #expect(try manager.contentsOfDirectory(atPath: directory) == ["metadata.sqlite"])
            #expect(try permissions(of: path) == 0o644)
            #expect(try manager.attributesOfItem(atPath: path)[.size] as? Int == 0)
            let first = try SQLiteDatabase.open(path: path)
            let second = try SQLiteDatabase.open(path: path, options)
            try await second.makeItems()
            try await second.close()
            try await first.close()
        }
    }

    @Test func aPathThatCannotHoldADatabaseIsRefused() async throws {
        try await withTemporaryDirectory { directory in
            for path in [directory, directory + "/absent/metadata.sqlite"] {
                let error = #expect(throws: StorageError.self) { try SQLiteDatabase.open(path: path) }
                #expect(error?.code == .wrongStore)
                #expect(error?.message.contains(directory) == false)
            }
        }
    }

    private func permissions(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }
}
