import StorageCore

/// The database whose metadata are moved away.
struct CopySource: Sendable {
    private let side: CopySide
    private let copy: CopyID

    /// An upload that gave no sign of life for so long counts as ended; in microseconds.
    private static let silence: Int64 = 2 * 60 * 1_000_000
    /// Making a trigger may meet writers that wait for each other.
    private static let attempts = 5

    init(_ database: any SQLDatabase, copy: CopyID) {
        side = CopySide(database: database, name: "source")
        self.copy = copy
    }

    /// Refuses a database that nobody has used yet.
    func checkUsed() async throws {
        let isUsed = try await side.read { session in
            try session.exists("SELECT 1 FROM settings WHERE key = $1", [.text("store.id")])
        }
        guard isUsed else { throw StorageError(.wrongStore, "The source holds nothing: no daemon has used it yet.") }
    }

    /// Begins to refuse new uploads; a source that an earlier copy has left frozen stays so.
    ///
    /// - Returns: Whether uploads under way may still end.
    func close() async throws -> Bool {
        try await change { state in
            switch state {
            case .open, .closing: .closing(copy)
            case .frozen: .frozen(copy)
            case .moved, .receiving, .complete: nil
            }
        } == .closing(copy)
    }

    /// Refuses every write from now on, after those that are under way.
    func freeze() async throws {
        _ = try await change { $0 == .closing(copy) || $0 == .frozen(copy) ? .frozen(copy) : nil }
    }

    /// Marks the database as moved, for good.
    func leave(to place: String) async throws {
        _ = try await change { $0 == .frozen(copy) ? .moved(copy, to: place) : nil }
    }

    /// Takes writes again, unless the metadata were moved or another copy has taken over.
    ///
    /// - Returns: The state that the database is in afterwards.
    func reopen() async throws -> DatabaseState {
        try await change { $0 == .closing(copy) || $0 == .frozen(copy) ? .open : $0 }
    }

    /// How many uploads are under way of which the database knows: those with room set aside, or with a claim.
    func uploadsUnderWay() async throws -> Int {
        let row = try await side.read { session in
            try session.first(
                """
                SELECT COUNT(*) FROM uploads WHERE committed_at IS NULL AND abandoned_at IS NULL \
                AND heartbeat_at >= \(side.database.dialect.now) - $1
                """, [.integer(Self.silence)])
        }
        return Int(try row?.integer(0) ?? 0)
    }

    /// How many rows are to be copied; 0 where the database finds that counting them takes too long.
    func rowCount() async throws -> Int {
        var count = 0
        for table in StoredTable.all {
            do {
                count += try await side.read { try table.count(in: $0) }
            } catch let error as StorageError where error.isTransient {
                return 0
            }
        }
        return count
    }

    /// One page of a table, as ``StoredTable/rows(after:in:)``.
    func rows(of table: StoredTable, after last: [SQLValue]?) async throws -> [SQLRow] {
        try await side.read { try table.rows(after: last, in: $0) }
    }

    /// Puts the database durably into the next state; tries again where others were in the way.
    ///
    /// - Parameter next: The state that follows; nil where this copy may not go on from there.
    /// - Returns: That state.
    private func change(
        _ next: @escaping @Sendable (DatabaseState) -> DatabaseState?
    ) async throws -> DatabaseState {
        var attempt = 1
        while true {
            do {
                return try await side.write(.durable) { session, dialect in
                    let state = try DatabaseState.read(in: session, lock: dialect.forUpdate)
                    guard let next = next(state) else { throw Self.takenOver }
                    if next != state { try state.change(to: next, in: session, dialect) }
                    return next
                }
            } catch let error as StorageError where error.isTransient && attempt < Self.attempts {
                attempt += 1
            }
        }
    }

    private static let takenOver = StorageError(
        .unprocessable, "Somebody has given up this copy or begun another one meanwhile.")
}
