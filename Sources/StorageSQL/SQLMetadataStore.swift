public import StorageCore

/// The metadata store in SQL, the same for every database: drivers differ only in what runs the statements.
public struct SQLMetadataStore: MetadataStore {
    private let database: any SQLDatabase
    private let records = RecordCache()

    package init(_ database: any SQLDatabase) {
        self.database = database
    }

    /// See ``/StorageCore/MetadataStore/recall(_:)``: a record that was read at the version that the database still has.
    public func recall(_ selector: FileSelector) -> FileRecord? {
        database.version.flatMap { records.record(selector, at: $0) }
    }

    /// Looks a record up, and remembers it where nobody committed anything meanwhile.
    func remembering(
        _ selector: FileSelector, _ body: () async throws -> FileRecord?
    ) async throws -> FileRecord? {
        let version = database.version
        if let version, let record = records.record(selector, at: version) { return record }
        let record = try await body()
        if let record, let version, database.version == version {
            records.remember(record, of: selector, at: version)
        }
        return record
    }

    /// Answers after one round trip to the database.
    public func ping() async throws {
        _ = try await read { try $0.session.query("SELECT 1", []) }
    }

    /// Finishes what is under way and closes the database; nothing may be called afterwards.
    public func close() async throws {
        try await translatingErrors { try await database.close() }
    }

    private static let reruns = 8

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Value
    ) async throws -> Value {
        let dialect = database.dialect
        return try await translatingErrors {
            try await database.read { try body(SQLTransaction(session: $0, dialect: dialect)) }
        }
    }

    /// Runs a transaction; one that met another maker of the same row runs again and then finds that row.
    func write<Value: Sendable>(
        _ durability: SQLDurability = .durable, _ body: @escaping @Sendable (SQLTransaction) throws -> Value
    ) async throws -> Value {
        let dialect = database.dialect
        return try await translatingErrors {
            let attempt: @Sendable (any SQLSession) throws -> Value = {
                try body(SQLTransaction(session: $0, dialect: dialect))
            }
            for _ in 0..<Self.reruns {
                do {
                    return try await database.write(durability, attempt)
                } catch let error as SQLError where error.kind == .uniqueViolation {
                    continue
                }
            }
            throw SQLError(.busy, "others kept making the same row")
        }
    }

    private func translatingErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError {
            throw StorageError(error)
        }
    }
}

/// A transaction under way, with the words of its database.
struct SQLTransaction {
    let session: any SQLSession
    let dialect: SQLDialect

    /// Whether rows have to be locked one by one; false where there is one writer at a time.
    var locksRows: Bool { !dialect.forUpdate.isEmpty }
}

extension StorageError {
    init(_ error: SQLError) {
        switch error.kind {
        case .busy:
            self.init(.unavailable, "The database is busy. Try again later.", isTransient: true, cause: error)
        case .unreachable:
            self.init(.unavailable, "The database cannot be reached. Try again later.", isTransient: true, cause: error)
        case .full:
            self.init(.insufficientStorage, "There is no room left to store it.", cause: error)
        case .outcomeUnknown:
            self.init(.outcomeUnknown, "The database did not say whether the change took effect.", cause: error)
        case .uniqueViolation, .constraintViolation, .damaged, .other:
            self.init(.internal, "The server failed to use its database.", cause: error)
        }
    }
}
