import StorageCore

/// The database that metadata are moved into.
struct CopyTarget: Sendable {
    private let side: CopySide
    private let copy: CopyID

    init(_ database: any SQLDatabase, copy: CopyID) {
        side = CopySide(database: database, name: "target")
        self.copy = copy
    }

    /// Refuses a database that holds anything but what an earlier copy has left unfinished.
    func check() async throws {
        try await side.read { try Self.check(DatabaseState.read(in: $0), in: $0) }
    }

    /// Claims the database, and empties it of what an earlier copy has left; nobody may use it from now on.
    func begin() async throws {
        let copy = copy
        try await side.write(.durable) { session, dialect in
            let state = try DatabaseState.read(in: session, lock: dialect.forUpdate)
            try Self.check(state, in: session)
            try state.change(to: .receiving(copy), in: session, dialect)
        }
        for table in StoredTable.all.reversed() {
            while try await claimed({ try table.deletePage(in: $0) }) {}
        }
    }

    /// Adds rows of a table. A power cut may take them away again until ``seal()`` has returned.
    func insert(_ rows: [SQLRow], into table: StoredTable) async throws {
        try await claimed { try table.insert(rows, in: $0) }
    }

    /// One page of a table, as ``StoredTable/rows(after:in:)``.
    func rows(of table: StoredTable, after last: [SQLValue]?) async throws -> [SQLRow] {
        try await side.read { try table.rows(after: last, in: $0) }
    }

    /// Makes everything durable, and notes that it is complete.
    func seal() async throws {
        try await change(from: .receiving(copy), to: .complete(copy))
    }

    /// Lets the database be used.
    func open() async throws {
        try await change(from: .complete(copy), to: .open)
    }

    private func change(from state: DatabaseState, to next: DatabaseState) async throws {
        try await side.write(.durable) { session, dialect in
            guard try DatabaseState.read(in: session, lock: dialect.forUpdate) == state else { throw Self.takenOver }
            try state.change(to: next, in: session, dialect)
        }
    }

    /// Runs a transaction that need not be durable for as long as no other copy has claimed the database.
    private func claimed<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws -> Value {
        let copy = copy
        return try await side.write(.relaxed) { session, dialect in
            guard try DatabaseState.read(in: session, lock: dialect.forShare) == .receiving(copy) else {
                throw Self.takenOver
            }
            return try body(session)
        }
    }

    private static func check(_ state: DatabaseState, in session: any SQLSession) throws {
        switch state {
        case .receiving, .complete: return
        case .open: break
        case .closing, .frozen, .moved:
            throw StorageError(.wrongStore, "The target is itself a database that is being moved, or was.")
        }
        let filled = try StoredTable.all.first { try !$0.isEmpty(in: session) }
        guard let filled else { return }
        throw StorageError(
            .wrongStore, "The target is not empty: its table \(filled.name) has rows. Give a database of its own.")
    }

    private static let takenOver = StorageError(.unprocessable, "Another copy into the target has begun meanwhile.")
}
