import StorageCore
import StorageMigrations

/// A migration with the digest that the journal keeps of it.
struct MigrationStep: Sendable {
    let migration: Migration
    /// SHA-256 in hex of both texts with a zero byte between them.
    let checksum: String

    init(_ migration: Migration) throws {
        self.migration = migration
        self.checksum = Hexadecimal.encode(
            try SHA256.hash(Array(migration.up.utf8) + [0] + Array(migration.down.utf8)))
    }

    /// Runs one of the two texts.
    ///
    /// - Throws: ``StorageError`` that names the step, for what the text itself is to blame.
    func run(_ text: String, in session: any SQLSession) throws {
        do {
            try session.script(text)
        } catch let error as SQLError {
            switch error.kind {
            case .uniqueViolation, .constraintViolation, .other:
                let step = "\(migration.number) (\(migration.name))"
                throw StorageError(.internal, "Migration \(step) failed; nothing of it was kept.", cause: error)
            case .frozen, .busy, .unreachable, .full, .outcomeUnknown, .damaged:
                throw error
            }
        }
    }
}

/// The table of the steps that a database has, in a transaction that keeps other migrators out.
struct MigrationJournal {
    /// A step that the database has.
    struct Entry {
        let number: Int64
        let name: String
        let checksum: String
        let appliedAt: Timestamp
    }

    let session: any SQLSession
    private let dialect: SQLDialect

    /// Locks the journal and makes it where there is none.
    init(_ session: any SQLSession, _ dialect: SQLDialect) throws {
        self.session = session
        self.dialect = dialect
        if let lock = dialect.migrationLock { try session.script(lock) }
        try session.script(
            """
            CREATE TABLE IF NOT EXISTS migrations (
                number BIGINT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                checksum TEXT NOT NULL,
                applied_at BIGINT NOT NULL
            )
            """)
    }

    /// The steps that the database has, in order: the first so many of those given.
    ///
    /// - Throws: ``StorageError`` of code ``StorageError/Code/wrongStore`` when they are not.
    func entries(checkedAgainst steps: [MigrationStep]) throws -> [Entry] {
        try Self.entries(in: session, checkedAgainst: steps)
    }

    /// The same without the lock, and without making the table: none where it is missing.
    static func entries(
        in session: any SQLSession, _ dialect: SQLDialect, checkedAgainst steps: [MigrationStep]
    ) throws -> [Entry] {
        guard try session.exists(dialect.tableLookup, [.text("migrations")]) else { return [] }
        return try entries(in: session, checkedAgainst: steps)
    }

    private static func entries(
        in session: any SQLSession, checkedAgainst steps: [MigrationStep]
    ) throws -> [Entry] {
        let rows = try session.query("SELECT number, name, checksum, applied_at FROM migrations ORDER BY number", [])
        let entries = try rows.map { row in
            Entry(
                number: try row.integer(0), name: try row.text(1), checksum: try row.text(2),
                appliedAt: Timestamp(microseconds: try row.integer(3)))
        }
        if let newest = entries.last, newest.number > steps.count {
            throw StorageError(
                .wrongStore,
                "The database has migration \(newest.number) (\(newest.name)), which this version does not know: "
                    + "it was made by a newer one.")
        }
        for (index, entry) in entries.enumerated() {
            guard entry.number == index + 1 else {
                throw StorageError(
                    .wrongStore,
                    "The database has migration \(entry.number) (\(entry.name)) without number \(index + 1).")
            }
            let step = steps[index]
            guard entry.checksum == step.checksum, entry.name == step.migration.name else {
                throw StorageError(
                    .wrongStore,
                    "Migration \(entry.number) (\(entry.name)) has changed since the database took it: "
                        + "a released migration must stay as it is.")
            }
        }
        return entries
    }

    func add(_ step: MigrationStep) throws {
        try session.execute(
            "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, \(dialect.now))",
            [.integer(Int64(step.migration.number)), .text(step.migration.name), .text(step.checksum)])
    }

    func remove(_ step: MigrationStep) throws {
        try session.execute("DELETE FROM migrations WHERE number = $1", [.integer(Int64(step.migration.number))])
    }
}
