import GRDB
import GRDBSQLite
import StorageSQL
import Synchronization

/// The header of a write-ahead log's index, in the memory that all processes on the database share.
///
/// A reader of SQLite compares this header with the one it saw last to learn whether anybody committed anything (SQLite, WAL-mode
/// file format, section 2.1): equal headers are equal states. Here the same look costs no transaction.
final class LogIndex: Sendable {
    /// Where the region begins that starts with the header; nil once the database is closed.
    private let region: Mutex<UInt?>

    /// The size of a region, which SQLite fixes.
    private static let regionBytes: Int32 = 32_768
    /// The header is there twice, so that a torn one is seen.
    private static let headerBytes = 48
    /// The salts of the log; before the first commit into it they are zero, and after a recovery two such headers may be equal.
    private static let saltsWord = 4
    /// `isInit`, the first byte behind two numbers of 32 bits and a counter.
    private static let initializedOffset = 12

    /// - Parameter database: A connection that stays open for as long as ``version`` is asked for.
    /// - Returns: nil for a database without a write-ahead log.
    init?(of database: Database) {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard
            sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            let file, let methods = file.pointee.pMethods, methods.pointee.iVersion >= 2,
            let map = methods.pointee.xShmMap
        else { return nil }
        // Mapped already: this only tells where.
        var address: UnsafeMutableRawPointer?
        guard map(file, 0, Self.regionBytes, 0, &address) == SQLITE_OK, let address else { return nil }
        region = Mutex(UInt(bitPattern: address))
    }

    /// The version of the database; nil while the header is being written, and after ``close()``.
    var version: SQLVersion? {
        region.withLock { region in
            guard let start = region.flatMap({ UnsafeRawPointer(bitPattern: $0) }) else { return nil }
            guard start.load(fromByteOffset: Self.initializedOffset, as: UInt8.self) != 0 else { return nil }
            // A writer fills the second copy first, so one that is equal to it was complete before it was read.
            let first = Self.header(at: start)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            guard first == Self.header(at: start + Self.headerBytes), first[Self.saltsWord] != 0 else { return nil }
            return SQLVersion(first)
        }
    }

    /// To be called before the connection is closed: the memory goes with the last one.
    func close() {
        region.withLock { $0 = nil }
    }

    private static func header(at start: UnsafeRawPointer) -> SIMD8<UInt64> {
        var words = SIMD8<UInt64>()
        for index in 0..<headerBytes / 8 {
            words[index] = start.load(fromByteOffset: index * 8, as: UInt64.self)
        }
        return words
    }
}
