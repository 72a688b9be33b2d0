import GRDB
import GRDBSQLite
import Logging
import StorageCore
import StorageSQL

extension SQLiteDatabase {
    /// `stor`: what `PRAGMA application_id` of our files is.
    static let applicationID: Int32 = 0x7374_6f72

    /// Opens a database file, or makes it where that is allowed. Blocks while it does: for the start of a process.
    ///
    /// - Throws: ``StorageError`` of code ``StorageError/Code/wrongStore`` when the file is not a database of ours or cannot be
    ///   used; ``SQLError`` when SQLite fails otherwise.
    package static func open(path: String, _ options: Options = Options()) throws -> SQLiteDatabase {
        // SQLite reads a leading `file:` and `:memory:` as something else than a name.
        let path = path.hasPrefix("/") ? path : "./" + path
        do {
            // SQLite does not wait for others where it turns a new file to write-ahead logging: it has read it by then, and two such
            // would wait for each other.
            return try DatabaseFile.oneAtATime(path, makesLock: options.createsFile) {
                try options.createsFile ? DatabaseFile.prepare(path) : DatabaseFile.find(path)
                let pool = try DatabasePool(path: path, configuration: configuration(options))
                let index = try pool.writeWithoutTransaction { database in
                    try finishSetup(of: database)
                    return LogIndex(of: database)
                }
                if index == nil {
                    Logger(label: "storage.sqlite").notice(
                        "records are not remembered: the index of the database's log cannot be looked at")
                }
                return SQLiteDatabase(pool, options, index: index)
            }
        } catch {
            throw openingError(error)
        }
    }

    /// Makes a database that lives and ends with this value.
    ///
    /// It has one connection: reads and writes take turns.
    package static func inMemory(_ options: Options = Options()) throws -> SQLiteDatabase {
        do {
            let queue = try DatabaseQueue(configuration: configuration(options))
            var options = options
            options.readers = 1
            return SQLiteDatabase(queue, options)
        } catch {
            throw SQLError(grdb: error)
        }
    }

    private static func configuration(_ options: Options) -> Configuration {
        var configuration = Configuration()
        configuration.label = "storaged.sqlite"
        configuration.maximumReaderCount = options.readers
        configuration.foreignKeysEnabled = true
        let createsFile = options.createsFile
        let milliseconds = Int32(clamping: Int64(options.busyTimeout / .milliseconds(1)))
        configuration.prepareDatabase { database in
            // Set here, because GRDB gives reading connections a timeout of its own.
            sqlite3_busy_timeout(database.sqliteConnection, milliseconds)
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            if !database.configuration.readonly { try claim(database, isNewAllowed: createsFile) }
        }
        return configuration
    }

    /// Refuses a database of another application and marks a new one as ours, before anything else is changed in it.
    private static func claim(_ database: Database, isNewAllowed: Bool) throws {
        // Asked first: one of ours is marked before it has a table, maybe between these two statements.
        let objects = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
        let found = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        guard found != applicationID else { return }
        guard found == 0, objects == 0 else {
            throw StorageError(.wrongStore, "The database file belongs to another application.")
        }
        guard isNewAllowed else {
            throw StorageError(.wrongStore, "The database file is empty: no daemon has used it yet.")
        }
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    }

    /// Sets what GRDB would overwrite if it were set earlier.
    ///
    /// GRDB gives a database in WAL mode `synchronous=NORMAL` after it has prepared the connection.
    private static func finishSetup(of database: Database) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        // Every checkpoint writes all pages that changed since the last: with small uploads those are the same ones again and again.
        _ = try Int.fetchOne(database, sql: "PRAGMA wal_autocheckpoint = 8000")
        // After a burst the log is cut back to this when it is reused.
        _ = try Int.fetchOne(database, sql: "PRAGMA journal_size_limit = 67108864")
        guard
            try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2,
            try Int.fetchOne(database, sql: "PRAGMA foreign_keys") == 1,
            try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal"
        else {
            throw SQLError(.other, "SQLite did not take synchronous=FULL, foreign_keys=ON and journal_mode=WAL")
        }
    }

    private static func openingError(_ error: any Error) -> any Error {
        switch error {
        case is StorageError:
            return error
        case let error as DatabaseError where [.SQLITE_NOTADB, .SQLITE_CORRUPT].contains(error.resultCode):
            return StorageError(
                .wrongStore, "The database file is not an SQLite database.", cause: SQLError(grdb: error))
        case let error as DatabaseError where [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode):
            return StorageError(.wrongStore, "The database file cannot be written.", cause: SQLError(grdb: error))
        default:
            return SQLError(grdb: error)
        }
    }
}
