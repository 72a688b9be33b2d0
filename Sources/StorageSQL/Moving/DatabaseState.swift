package import StorageCore

/// The name of one call that moves metadata: what it has claimed it knows again, and what another has claimed since.
package typealias CopyID = Identifier<MetadataCopy>

/// What a database says of itself while its metadata are moved, as a row of `settings`.
///
/// ```
/// source:  open → closing → frozen → moved         back to open when the copy is given up
/// target:  open → receiving → complete → open      begun anew by the next copy when this one is given up
/// ```
///
/// The target opens only after the source is moved for good: at no moment do two databases both take writes, or authorise
/// deletions, for one blob store.
package enum DatabaseState: Hashable, Sendable {
    /// Nothing special: there is no row.
    case open
    /// Uploads under way may end; new ones are refused.
    case closing(CopyID)
    /// Every write is refused.
    case frozen(CopyID)
    /// Every write is refused, for good: another database has the metadata now. `to` says which, without secrets.
    case moved(CopyID, to: String)
    /// Being filled: nobody may use it.
    case receiving(CopyID)
    /// Has everything, compared row by row, and waits for its source to be moved.
    case complete(CopyID)

    /// The key of the row.
    static let key = "database.state"

    /// The value of the row; nil for none.
    var text: String? {
        switch self {
        case .open: nil
        case .closing(let copy): "closing \(copy)"
        case .frozen(let copy): "frozen \(copy)"
        case .moved(let copy, let place): "moved \(copy) \(place)"
        case .receiving(let copy): "receiving \(copy)"
        case .complete(let copy): "complete \(copy)"
        }
    }

    /// Reads the value of the row; nil for one that this version does not know.
    init?(text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: " "), maxSplits: 2).map { Substring($0) }
        guard parts.count >= 2, let copy = CopyID(text: parts[1].utf8) else { return nil }
        switch (parts[0], parts.count) {
        case ("closing", 2): self = .closing(copy)
        case ("frozen", 2): self = .frozen(copy)
        case ("moved", 3): self = .moved(copy, to: String(parts[2]))
        case ("receiving", 2): self = .receiving(copy)
        case ("complete", 2): self = .complete(copy)
        default: return nil
        }
    }

    /// What the triggers of this state refuse; nil for nothing.
    private var refused: SQLWriteBarrier.Scope? {
        switch self {
        case .open, .receiving, .complete: nil
        case .closing: .newUploads
        case .frozen, .moved: .everything
        }
    }

    /// Reads the row.
    ///
    /// - Parameter lock: `forUpdate` of the dialect, where the row is to stay as it is until the end of the transaction.
    /// - Throws: ``StorageError/Code/wrongStore`` for a value that this version does not know.
    static func read(in session: any SQLSession, lock: String = "") throws -> DatabaseState {
        let row = try session.first("SELECT value FROM settings WHERE key = $1\(lock)", [.text(key)])
        guard let text = try row?.text(0) else { return .open }
        guard let state = DatabaseState(text: text) else {
            throw StorageError(.wrongStore, "The database is in a state that this version does not know.")
        }
        return state
    }

    /// Puts the database into another state: the row and the triggers, in the transaction of the session.
    func change(to next: DatabaseState, in session: any SQLSession, _ dialect: SQLDialect) throws {
        if let refused { try session.script(dialect.writeBarrier.lowering(refused)) }
        if let text = next.text {
            try session.execute(
                """
                INSERT INTO settings (key, value) VALUES ($1, $2) \
                ON CONFLICT (key) DO UPDATE SET value = excluded.value
                """, [.text(Self.key), .text(text)])
        } else {
            try session.execute("DELETE FROM settings WHERE key = $1", [.text(Self.key)])
        }
        if let refused = next.refused { try session.script(dialect.writeBarrier.raising(refused)) }
    }

    /// Refuses a database that nobody may serve or write to: one whose metadata were moved, or are not all there yet.
    ///
    /// - Throws: ``StorageError/Code/wrongStore``.
    package func checkUsable() throws {
        switch self {
        case .open, .closing, .frozen: break
        case .moved(_, let place):
            throw StorageError(.wrongStore, "The metadata were moved to \(place): use that database instead.")
        case .receiving, .complete:
            throw StorageError(
                .wrongStore,
                "The database holds an unfinished copy of another one: finish it with storaged copy-metadata.")
        }
    }
}

extension Migrator {
    /// What the database says of itself; ``DatabaseState/open`` for one without tables.
    ///
    /// - Throws: ``StorageError/Code/wrongStore`` for a database that does not fit.
    package func databaseState() async throws -> DatabaseState {
        guard try await status().first?.appliedAt != nil else { return .open }
        do {
            return try await database.read { try DatabaseState.read(in: $0) }
        } catch let error as SQLError {
            throw StorageError(error)
        }
    }
}
