import Foundation
import GRDB
import GRDBSQLite
import StorageSQL
import Testing

@testable import StorageSQLite

/// What a disk does that is full or fails.
@Suite struct SQLiteFailureTests {
    @Test func whenTheLogCannotBeSyncedNothingIsPromisedAndNothingMoreIsWritten() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/metadata.sqlite"
            let pool = try syncedPool(path)
            let database = SQLiteDatabase(pool, SQLiteDatabase.Options())
            try await database.makeItems()
            try await database.write(.durable) { try $0.insert(1) }
            let log = try LogFile(of: pool)
            log.failSync()
            let lost = try await thrown(SQLError.self) { try await database.write(.durable) { try $0.insert(2) } }
            log.repair()
            let after = try await thrown(SQLError.self) { try await database.write(.durable) { try $0.insert(3) } }
            let ids = try await database.ids()
            #expect(lost?.kind == .outcomeUnknown)
            #expect(after?.kind == .unreachable)
            #expect(ids == [1])
            try await database.close()

            let reopened = try DatabasePool(path: path)
            let integrity = try await reopened.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
            #expect(integrity == ["ok"])
            try reopened.close()
        }
    }

    @Test(arguments: [
        (SQLITE_FULL, SQLError.Kind.full), (SQLITE_IOERR | 3 << 8, .outcomeUnknown),
    ])
    func aCommitThatCannotBeWrittenIsTakenBackAndTheNextOneWorks(_ code: Int32, _ kind: SQLError.Kind) async throws {
        try await withTemporaryDirectory { directory in
            let pool = try syncedPool(directory + "/metadata.sqlite")
            let database = SQLiteDatabase(pool, SQLiteDatabase.Options())
            try await database.makeItems()
            let log = try LogFile(of: pool)
            log.failWrite(with: code)
            let lost = try await thrown(SQLError.self) { try await database.write(.durable) { try $0.insert(1) } }
            log.repair()
            let before = try await database.ids()
            try await database.write(.durable) { try $0.insert(2) }
            let after = try await database.ids()
            #expect(lost?.kind == kind)
            #expect(before == [])
            #expect(after == [2])
            try await database.close()
        }
    }

    @Test(.enabled(if: geteuid() == 0, "a small file system can be mounted by root only"))
    func aFullDiskLosesNothingThatWasAcknowledgedAndEndsWhenThereIsRoom() async throws {
        try await withTemporaryDirectory { directory in
            try await withSmallFileSystem(at: directory) {
                let filler = directory + "/filler"
                try Data(repeating: 1, count: 400_000).write(to: URL(fileURLWithPath: filler))
                let database = try SQLiteDatabase.open(path: directory + "/metadata.sqlite")
                try await database.makeItems()
                let acknowledged = try await withThrowingTaskGroup(of: Int64?.self) { group in
                    for number in 1...60 as ClosedRange<Int64> {
                        group.addTask {
                            let error = try await thrown(SQLError.self) {
                                try await database.write(number % 4 == 0 ? .relaxed : .durable) { session in
                                    _ = try session.execute(
                                        "INSERT INTO items (id, bytes) VALUES ($1, $2)",
                                        [.integer(number), .bytes([UInt8](repeating: 7, count: 20_000))])
                                }
                            }
                            #expect(error == nil || error?.kind == .full)
                            return error == nil ? number : nil
                        }
                    }
                    return try await group.reduce(into: Set<Int64>()) { numbers, number in
                        if let number { numbers.insert(number) }
                    }
                }
                let stored = try await database.ids()
                #expect(acknowledged.count < 60)
                #expect(Set(stored) == acknowledged)

                try FileManager.default.removeItem(atPath: filler)
                try await database.write(.durable) { try $0.insert(100) }
                let integrity = try await database.write(.durable) { session in
                    try session.query("PRAGMA integrity_check", []).map { try $0.text(0) }
                }
                let later = try await database.ids()
                #expect(integrity == ["ok"])
                #expect(Set(later) == acknowledged.union([100]))
                try await database.close()
            }
        }
    }

    private func syncedPool(_ path: String) throws -> DatabasePool {
        let pool = try DatabasePool(path: path)
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return pool
    }

    /// 1 MiB.
    private func withSmallFileSystem(at directory: String, _ body: () async throws -> Void) async throws {
        try run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory)
        do {
            try await body()
        } catch {
            try run("umount", "--lazy", directory)
            throw error
        }
        try run("umount", "--lazy", directory)
    }

    private func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(arguments)")
    }
}

/// The write-ahead log of a pool's writer as SQLite has it open, with calls that fail on demand.
private final class LogFile {
    private let file: UnsafeMutablePointer<sqlite3_file>
    private let original: UnsafePointer<sqlite3_io_methods>
    // Never given back: SQLite may look at it for as long as the file is open, which may be longer than this lives.
    private let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)

    init(of pool: DatabasePool) throws {
        let address = try pool.writeWithoutTransaction { database in
            var file: UnsafeMutablePointer<sqlite3_file>?
            let code = sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file)
            try #require(code == SQLITE_OK)
            return UInt(bitPattern: file)
        }
        file = try #require(UnsafeMutablePointer(bitPattern: address))
        original = try #require(file.pointee.pMethods)
        methods.initialize(to: original.pointee)
    }

    func failSync() {
        methods.pointee = original.pointee
        methods.pointee.xSync = { _, _ in SQLITE_IOERR | 4 << 8 }
        file.pointee.pMethods = UnsafePointer(methods)
    }

    func failWrite(with code: Int32) {
        methods.pointee = original.pointee
        if code == SQLITE_FULL {
            methods.pointee.xWrite = { _, _, _, _ in SQLITE_FULL }
        } else {
            methods.pointee.xWrite = { _, _, _, _ in SQLITE_IOERR | 3 << 8 }
        }
        file.pointee.pMethods = UnsafePointer(methods)
    }

    func repair() {
        file.pointee.pMethods = original
    }
}
