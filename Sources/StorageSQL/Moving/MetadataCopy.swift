import StorageCore

/// Moves the metadata of one database into another, row by row, so that nothing is lost and no two databases ever take writes.
///
/// # Behavior
///
/// - ``prepare()`` changes nothing in the source and refuses what cannot be; ``run(onProgress:)`` moves.
/// - The source is frozen durably before its first row is read: writes fail with ``/StorageCore/StorageError/Code/unavailable``,
///   reads go on. Uploads that the database knows of may end first.
/// - Every value of every row is compared before the source is marked as moved.
/// - Whatever ends ``run(onProgress:)`` early, ``giveUp()`` is to follow, outside of the task that may have been cancelled: the
///   source takes writes again. A process that dies in between leaves it frozen; another copy, or ``giveUp(_:)``, goes on from there.
/// - Of two copies of one source or into one target, the later takes over and the earlier fails.
package struct MetadataCopy: Sendable {
    /// How a copy waits.
    package struct Patience: Sendable {
        /// How long uploads may go on after no new ones are let in.
        package var uploads: Duration = .seconds(300)
        /// The pause between two looks at them.
        package var pause: Duration = .milliseconds(250)

        package init() {}
    }

    /// How far a copy is.
    package enum Progress: Sendable {
        /// New uploads are refused; so many are still under way.
        case waiting(uploads: Int)
        /// The source is frozen, with so many rows; 0 where counting them takes too long.
        case frozen(rows: Int)
        /// So many rows more were copied.
        case copied(Int)
        /// So many rows more were compared.
        case compared(Int)
    }

    /// What became of a source.
    package enum Ending: Sendable {
        /// It takes writes.
        case open
        /// It is moved, and the target may be used.
        case moved
        /// Another copy has it.
        case takenOver
    }

    private let source: CopySource
    private let target: CopyTarget
    private let sourceMigrator: Migrator
    private let targetMigrator: Migrator
    private let copy: CopyID
    private let place: String
    private let patience: Patience

    /// - Parameters:
    ///   - source: The steps of the database whose metadata are moved away.
    ///   - target: The steps of the database that they are moved into.
    ///   - place: What the source says afterwards of where they are, without secrets.
    ///   - patience: How long uploads are waited for.
    package init(from source: Migrator, to target: Migrator, place: String, patience: Patience = Patience()) {
        copy = CopyID()
        sourceMigrator = source
        targetMigrator = target
        self.source = CopySource(source.database, copy: copy)
        self.target = CopyTarget(target.database, copy: copy)
        self.place = place
        self.patience = patience
    }

    /// Looks at both databases, and brings up the schema of the target.
    ///
    /// - Returns: false when there is nothing left to do: an earlier copy has moved everything, and was only kept from opening the
    ///   target, which is done now.
    /// - Throws: ``/StorageCore/StorageError/Code/wrongStore`` for a source that was moved elsewhere, is not up to date or holds
    ///   nothing, and for a target that is not empty.
    package func prepare() async throws -> Bool {
        try await sourceMigrator.check(cure: "Run storaged migrate up.")
        let state = try await sourceMigrator.databaseState()
        if case .moved(let earlier, _) = state, try await targetMigrator.databaseState() == .complete(earlier) {
            try await CopyTarget(targetMigrator.database, copy: earlier).open()
            return false
        }
        try state.checkUsable()
        try await source.checkUsed()
        try await targetMigrator.up()
        try await target.check()
        return true
    }

    /// Moves everything.
    ///
    /// - Returns: how many rows there are.
    /// - Throws: ``/StorageCore/StorageError/Code/unavailable`` when uploads are still under way after the time for them;
    ///   ``/StorageCore/StorageError/Code/corrupt`` when a row is not the same on both sides.
    package func run(onProgress: @Sendable (Progress) -> Void = { _ in }) async throws -> Int {
        try await target.begin()
        if try await source.close() {
            try await waitForUploads(onProgress)
            try await source.freeze()
        }
        onProgress(.frozen(rows: try await source.rowCount()))
        var count = 0
        for table in StoredTable.all { count += try await copy(table, onProgress) }
        for table in StoredTable.all { try await compare(table, onProgress) }
        try await target.seal()
        try await source.leave(to: place)
        try await target.open()
        return count
    }

    /// Lets the source take writes again, unless the copy was already past that.
    package func giveUp() async throws -> Ending {
        switch try await source.reopen() {
        case .open: return .open
        case .moved(copy, _):
            // Everything was done but the last step.
            if try await targetMigrator.databaseState() == .complete(copy) { try await target.open() }
            return .moved
        default: return .takenOver
        }
    }

    /// Lets a database take writes again that a copy has left frozen, whichever it was.
    ///
    /// - Returns: Whether it was frozen.
    /// - Throws: ``/StorageCore/StorageError/Code/wrongStore`` for a database that was moved, or is itself an unfinished copy.
    package static func giveUp(_ source: Migrator) async throws -> Bool {
        switch try await source.databaseState() {
        case .open: return false
        case .closing(let copy), .frozen(let copy):
            return try await CopySource(source.database, copy: copy).reopen() == .open
        case let state:
            try state.checkUsable()
            return false
        }
    }

    private func waitForUploads(_ onProgress: (Progress) -> Void) async throws {
        let deadline = ContinuousClock.now + patience.uploads
        while true {
            try Task.checkCancellation()
            let uploads = try await source.uploadsUnderWay()
            guard uploads > 0 else { return }
            guard ContinuousClock.now < deadline else {
                throw StorageError(
                    .unavailable, "\(uploads) uploads are still under way. Try again later, or wait longer.",
                    isTransient: true)
            }
            onProgress(.waiting(uploads: uploads))
            try await Task.sleep(for: patience.pause)
        }
    }

    private func copy(_ table: StoredTable, _ onProgress: (Progress) -> Void) async throws -> Int {
        var count = 0
        var last: [SQLValue]?
        while true {
            try Task.checkCancellation()
            let rows = try await source.rows(of: table, after: last)
            guard let end = rows.last else { return count }
            try await target.insert(rows, into: table)
            count += rows.count
            onProgress(.copied(rows.count))
            last = table.key(of: end)
        }
    }

    private func compare(_ table: StoredTable, _ onProgress: (Progress) -> Void) async throws {
        var last: [SQLValue]?
        while true {
            try Task.checkCancellation()
            let start = last
            async let copied = target.rows(of: table, after: start)
            let rows = try await source.rows(of: table, after: start)
            if let key = table.difference(rows, try await copied) {
                throw StorageError(
                    .corrupt, "The table \(table.name) is not the same on both sides: its row \(key) differs.")
            }
            onProgress(.compared(rows.count))
            guard let end = rows.last else { return }
            last = table.key(of: end)
        }
    }
}

extension StoredTable {
    /// The key of a row that is not the same on both sides, or on one side only; nil when there is none.
    ///
    /// The order does not count: databases may order texts differently. Only `settings`, which is less than a page, has such a key.
    func difference(_ rows: [SQLRow], _ others: [SQLRow]) -> String? {
        guard rows.map(\.values) != others.map(\.values) else { return nil }
        var expected = Dictionary(rows.map { (key(of: $0), $0.values) }) { first, _ in first }
        for row in others {
            let key = key(of: row)
            guard expected.removeValue(forKey: key) == row.values else { return Self.text(of: key) }
        }
        return expected.keys.first.map(Self.text)
    }

    private static func text(of key: [SQLValue]) -> String {
        key.map { value in
            switch value {
            case .null: "NULL"
            case .integer(let number): "\(number)"
            case .text(let text): "'\(text)'"
            case .bytes(let bytes): Hexadecimal.encode(bytes)
            }
        }.joined(separator: ", ")
    }
}
