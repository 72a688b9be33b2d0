import GRDB
import GRDBSQLite
import StorageSQL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension SQLError {
    /// What SQLite just reported on a connection.
    ///
    /// - Parameters:
    ///   - code: the extended result code
    ///   - connection: where the message and the system's error number are taken from; nothing may have been called on it since
    init(sqlite code: Int32, on connection: OpaquePointer?) {
        let message = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "no message"
        let kind = Self.kind(ofSQLite: code, message, systemError: sqlite3_system_errno(connection))
        self.init(kind, "SQLite \(code): \(message)")
    }

    /// Takes over an error of GRDB; an error of any other kind is described.
    init(grdb error: any Error) {
        switch error {
        case let error as SQLError:
            self = error
        case let error as DatabaseError:
            let (code, message) = (error.extendedResultCode.rawValue, error.message ?? "no message")
            self.init(Self.kind(ofSQLite: code, message, systemError: 0), "SQLite \(code): \(message)")
        default:
            self.init(.other, "\(error)")
        }
    }

    private static func kind(ofSQLite code: Int32, _ message: String, systemError: Int32) -> Kind {
        switch code {
        case triggerCode: if message == SQLWriteBarrier.message { return .frozen }
        case uniqueCode, primaryKeyCode, rowIDCode: return .uniqueViolation
        case writeCode, shmSizeCode: if systemError == ENOSPC || systemError == EDQUOT { return .full }
        default: break
        }
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: return .busy
        case SQLITE_FULL: return .full
        case SQLITE_CONSTRAINT: return .constraintViolation
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damaged
        case SQLITE_CANTOPEN: return .unreachable
        default: return .other
        }
    }

    // The extended codes are macros with arithmetic, which are not imported.
    private static let primaryKeyCode = SQLITE_CONSTRAINT | 6 << 8
    private static let triggerCode = SQLITE_CONSTRAINT | 7 << 8
    private static let uniqueCode = SQLITE_CONSTRAINT | 8 << 8
    private static let rowIDCode = SQLITE_CONSTRAINT | 10 << 8
    private static let writeCode = SQLITE_IOERR | 3 << 8
    private static let shmSizeCode = SQLITE_IOERR | 19 << 8
}

/// A COMMIT that failed.
struct SQLiteCommitError: Error {
    /// What it means for those who wait for it.
    ///
    /// SQLite takes the transaction back in this process, but when an error came after the commit record was handed to the
    /// system (a failed sync above all), the record may still lie in the log, and a crash before the next commit overwrites it
    /// would make the transaction appear. Only where the record is known not to be whole is the failure certain.
    let error: SQLError

    /// Whether the log could not be synced.
    let isSyncFailure: Bool

    init(_ code: Int32, on connection: OpaquePointer?) {
        let cause = SQLError(sqlite: code, on: connection)
        switch cause.kind {
        case .full, .busy, .constraintViolation, .uniqueViolation: error = cause
        default: error = SQLError(.outcomeUnknown, "COMMIT: \(cause.description)")
        }
        isSyncFailure = code == Self.syncCode || code == Self.directorySyncCode
    }

    private static let syncCode = SQLITE_IOERR | 4 << 8
    private static let directorySyncCode = SQLITE_IOERR | 5 << 8
}
