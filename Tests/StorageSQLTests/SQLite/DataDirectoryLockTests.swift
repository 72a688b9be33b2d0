import Foundation
import StorageCore
import StorageSQLite
import Testing

@Suite struct DataDirectoryLockTests {
    @Test func aDirectoryIsServedByOneAtATime() async throws {
        try await withTemporaryDirectory { directory in
            let lock = try DataDirectoryLock(directory: directory)
            let error = #expect(throws: StorageError.self) { try DataDirectoryLock(directory: directory) }
            #expect(error?.code == .wrongStore)
            #expect(
                error?.message
                    == "The data directory is in use by process \(ProcessInfo.processInfo.processIdentifier).")
            lock.release()
            lock.release()
            let next = try DataDirectoryLock(directory: directory)
            #expect(throws: StorageError.self) { try DataDirectoryLock(directory: directory) }
            next.release()
        }
    }

    @Test func whatAnEarlierHolderLeftDoesNotMatter() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/storaged.lock"
            try Data("123456789012345678901234567890\n".utf8).write(to: URL(fileURLWithPath: path))
            let lock = try DataDirectoryLock(directory: directory)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text == "\(ProcessInfo.processInfo.processIdentifier)\n")
            lock.release()
        }
    }

    @Test func aDirectoryThatIsNotThereCannotBeLocked() async throws {
        try await withTemporaryDirectory { directory in
            let error = #expect(throws: StorageError.self) { try DataDirectoryLock(directory: directory + "/absent") }
            #expect(error?.code == .wrongStore)
        }
    }
}
