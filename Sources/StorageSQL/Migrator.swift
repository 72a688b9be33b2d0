import Logging
package import StorageCore
package import StorageMigrations

/// Brings the schema of a database to the state that this program needs, step by step.
///
/// # Behavior
///
/// - The journal, a table of its own, says which steps the database has, each with a digest of its text.
/// - A step and its row in the journal are one durable transaction, which reads the journal anew before it decides: several
///   processes may do this at once, and each step is taken once.
/// - Where a step runs beside others, and they have its tables in use, it lets those pass who wait behind it and is tried again.
/// - A database that does not fit is refused before anything is done to it: a released step whose text has changed, a step that
///   this program does not know because it is older than the schema, a gap.
package struct Migrator: Sendable {
    let database: any SQLDatabase
    private let steps: [MigrationStep]

    /// - Throws: ``StorageError`` of code ``StorageError/Code/internal`` when the migrations are not numbered 1, 2, 3, …
    package init(database: any SQLDatabase, migrations: [Migration]) throws {
        guard migrations.map(\.number).elementsEqual(1..<migrations.count + 1) else {
            throw StorageError(.internal, "The migrations are not numbered from 1 without gaps.")
        }
        self.database = database
        self.steps = try migrations.map { try MigrationStep($0) }
    }

    /// All steps that this program knows, in order, and when each was taken.
    ///
    /// - Throws: ``StorageError`` of code ``StorageError/Code/wrongStore`` when the database does not fit; likewise below.
    package func status() async throws -> [MigrationStatus] {
        let dialect = database.dialect
        return try await translatingErrors {
            let entries = try await database.read { session in
                try MigrationJournal.entries(in: session, dialect, checkedAgainst: steps)
            }
            return steps.enumerated().map { index, step in
                MigrationStatus(
                    number: step.migration.number, name: step.migration.name,
                    appliedAt: index < entries.count ? entries[index].appliedAt : nil)
            }
        }
    }

    /// Refuses a database whose schema is not the newest that this program knows.
    ///
    /// - Parameter cure: What is to be done then, as a sentence.
    package func check(cure: String = "Run the command that migrates it.") async throws {
        let missing = try await status().filter { $0.appliedAt == nil }
        guard let first = missing.first else { return }
        throw StorageError(
            .wrongStore,
            "The database needs \(missing.count) migrations, the first is \(first.number) (\(first.name)). \(cure)")
    }

    /// Takes the steps that are missing.
    ///
    /// - Parameter target: the last step to take; nil for all.
    /// - Returns: the numbers of the steps that this call took; others may have been taken by another process meanwhile.
    @discardableResult
    package func up(to target: Int? = nil) async throws -> [Int] {
        let target = try checked(target ?? steps.count)
        // A database that has them all is not locked: others may be using it.
        guard try await status().prefix(target).contains(where: { $0.appliedAt == nil }) else { return [] }
        var taken: [Int] = []
        while let number = try await stepUp(to: target) {
            taken.append(number)
        }
        return taken
    }

    /// Undoes steps, the newest first.
    ///
    /// - Parameter target: the last step to keep; 0 for none.
    /// - Returns: the numbers of the steps that this call undid.
    @discardableResult
    package func down(to target: Int) async throws -> [Int] {
        let target = try checked(target)
        var undone: [Int] = []
        while let number = try await stepDown(to: target) {
            undone.append(number)
        }
        return undone
    }

    private func stepUp(to target: Int) async throws -> Int? {
        try await transaction { journal in
            let count = try journal.entries(checkedAgainst: steps).count
            guard count < target else { return nil }
            let step = steps[count]
            try step.run(step.migration.up, in: journal.session)
            try journal.add(step)
            return step.migration.number
        }
    }

    private func stepDown(to target: Int) async throws -> Int? {
        try await transaction { journal in
            let count = try journal.entries(checkedAgainst: steps).count
            guard count > target else { return nil }
            let step = steps[count - 1]
            try step.run(step.migration.down, in: journal.session)
            try journal.remove(step)
            return step.migration.number
        }
    }

    private func checked(_ target: Int) throws -> Int {
        guard (0...steps.count).contains(target) else {
            throw StorageError(.unprocessable, "There is no migration \(target): the last one is \(steps.count).")
        }
        return target
    }

    private func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (MigrationJournal) throws -> Value
    ) async throws -> Value {
        let dialect = database.dialect
        let runsBesideOthers = dialect.migrationLock != nil
        let start = ContinuousClock.now
        var attempts = 0
        return try await translatingErrors {
            while true {
                attempts += 1
                do {
                    return try await database.write(.durable) { try body(MigrationJournal($0, dialect)) }
                } catch let error as SQLError
                    where error.kind == .busy && runsBesideOthers && start.duration(to: .now) < Self.patience
                {
                    if attempts == 1 {
                        Logger(label: "storage.sql").warning(
                            "a migration waits for those who use the database", metadata: ["error": "\(error)"])
                    }
                    try await Task.sleep(for: Self.pause)
                }
            }
        }
    }

    /// As long as a dump of the database may take.
    private static let patience = Duration.seconds(1_800)
    private static let pause = Duration.seconds(1)

    private func translatingErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as SQLError {
            throw StorageError(error)
        }
    }
}

/// Whether a database has a step.
package struct MigrationStatus: Sendable, Equatable {
    /// The place in the order.
    package let number: Int
    /// What it does, in a few words.
    package let name: String
    /// When it was taken, by the database's clock; nil when it was not.
    package let appliedAt: Timestamp?
}
