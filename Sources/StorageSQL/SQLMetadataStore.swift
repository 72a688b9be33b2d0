public import NIOCore
public import StorageCore

/// The metadata store in SQL, the same for every database: drivers differ only in what runs the statements.
public struct SQLMetadataStore: MetadataStore {
    private let database: any SQLDatabase
    private let records = RecordCache()

    package init(_ database: any SQLDatabase) {
        self.database = database
    }

    /// How often records were remembered that were asked for.
    public var recordStatistics: CacheStatistics { records.statistics }

    /// See ``/StorageCore/MetadataStore/recall(_:)``: a record that was read at the version that the database still has.
    public func recall(_ selector: FileSelector) -> FileRecord? {
        database.version.flatMap { records.record(selector, at: $0) }
    }

    /// See ``/StorageCore/MetadataStore/file(_:on:)``: where the database takes queries without a task.
    ///
    /// Of a record that is remembered only the version is asked for.
    public func file(
        _ selector: FileSelector, on eventLoop: any EventLoop
    ) -> EventLoopFuture<FileRecord?>? {
        let found =
            records.isPromising(selector)
            ? database.version(on: eventLoop)?.flatMap { version in
                let known = version.flatMap { records.record(selector, at: $0) }
                return known.map { eventLoop.makeSucceededFuture($0) } ?? lookUp(selector, on: eventLoop)
                    ?? eventLoop.makeFailedFuture(Self.notTaken)
            } : lookUp(selector, on: eventLoop)
        return found?.flatMapErrorThrowing { error in
            throw (error as? SQLError).map(StorageError.init) ?? error
        }
    }

    private func lookUp(
        _ selector: FileSelector, in source: StoredFile.Source = .copy, on eventLoop: any EventLoop
    ) -> EventLoopFuture<FileRecord?>? {
        let dialect = database.dialect
        let found = database.read(on: eventLoop) {
            try SQLTransaction(session: $0, dialect: dialect).row(selector, source).map { try StoredFile($0)?.record }
        }
        return found?.flatMap { found, version in
            switch found {
            case nil:
                return eventLoop.makeSucceededFuture(nil)
            case .some(let record?):
                if let version { records.remember(record, of: selector, at: version) }
                return eventLoop.makeSucceededFuture(record)
            // A copy that is not to be believed.
            case .some(nil):
                return lookUp(selector, in: .origin, on: eventLoop) ?? eventLoop.makeFailedFuture(Self.notTaken)
            }
        }
    }

    private static let notTaken = SQLError(.other, "queries without a task are not taken any more")

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
    /// How often the answer to a transaction may be lost.
    private static let attempts = 3

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
        _ durability: SQLDurability = .durable, _ cancellation: SQLCancellation = .ends,
        _ body: @escaping @Sendable (SQLTransaction) throws -> Value
    ) async throws -> Value {
        let dialect = database.dialect
        return try await translatingErrors {
            let attempt: @Sendable (any SQLSession) throws -> Value = {
                try body(SQLTransaction(session: $0, dialect: dialect))
            }
            for _ in 0..<Self.reruns {
                do {
                    return try await database.write(durability, cancellation, attempt)
                } catch let error as SQLError where error.kind == .uniqueViolation {
                    continue
                } catch is RowChanged {
                    continue
                }
            }
            throw SQLError(.busy, "others kept making or changing the same row")
        }
    }

    /// Runs a transaction that leaves behind the same however often it is made: one whose answer was lost is made again.
    func writeRepeatably<Value: Sendable>(
        _ durability: SQLDurability = .durable, _ cancellation: SQLCancellation = .ends,
        _ body: @escaping @Sendable (SQLTransaction) throws -> Value
    ) async throws -> Value {
        for _ in 1..<Self.attempts {
            do {
                return try await write(durability, cancellation, body)
            } catch let error as StorageError where error.code == .outcomeUnknown {
                continue
            }
        }
        return try await write(durability, cancellation, body)
    }

    private func translatingErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError {
            throw StorageError(error)
        }
    }
}

/// Runs a transaction again that waited for a lock of a row and got it, but for a row that is not any more what it was asked for:
/// two of them that went on to ask for more of it would wait for each other.
struct RowChanged: Error {}

/// A transaction under way, with the words of its database.
struct SQLTransaction {
    let session: any SQLSession
    let dialect: SQLDialect

    /// Whether rows have to be locked one by one; false where there is one writer at a time.
    var locksRows: Bool { !dialect.forUpdate.isEmpty }
}

extension StorageError {
    package init(_ error: SQLError) {
        switch error.kind {
        case .busy:
            self.init(.unavailable, "The database is busy. Try again later.", isTransient: true, cause: error)
        case .unreachable:
            self.init(.unavailable, "The database cannot be reached. Try again later.", isTransient: true, cause: error)
        case .frozen:
            self.init(
                .unavailable,
                "Nothing can be changed now: the metadata are being moved to another database. Try again later.",
                isTransient: true, cause: error)
        case .full:
            self.init(.insufficientStorage, "There is no room left to store it.", cause: error)
        case .outcomeUnknown:
            self.init(.outcomeUnknown, "The database did not say whether the change took effect.", cause: error)
        case .uniqueViolation, .constraintViolation, .damaged, .other:
            self.init(.internal, "The server failed to use its database.", cause: error)
        }
    }
}
