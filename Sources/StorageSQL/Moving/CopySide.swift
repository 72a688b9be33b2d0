import StorageCore

/// One end of a copy; its failures say which.
struct CopySide: Sendable {
    let database: any SQLDatabase
    /// `source` or `target`.
    let name: String

    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Value) async throws -> Value {
        try await translating { try await database.read(body) }
    }

    func write<Value: Sendable>(
        _ durability: SQLDurability, _ body: @escaping @Sendable (any SQLSession, SQLDialect) throws -> Value
    ) async throws -> Value {
        let dialect = database.dialect
        return try await translating { try await database.write(durability) { try body($0, dialect) } }
    }

    private func translating<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError {
            let error = StorageError(error)
            throw StorageError(
                error.code, "The \(name): \(error.message)", isTransient: error.isTransient, cause: error.cause)
        }
    }
}
