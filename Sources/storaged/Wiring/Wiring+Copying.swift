import StorageCore
import StorageSQL

/// Moving metadata from one database into another.
extension Wiring {
    typealias Location = StoragedConfiguration.Database.Location

    /// Moves everything; whatever keeps it from that lets the source take writes again before it is thrown.
    ///
    /// - Throws: ``Refusal`` for databases that cannot be used, ``CommandFailure`` with what became of the source.
    static func copyMetadata(
        from source: Location, to target: Location, _ patience: MetadataCopy.Patience,
        onProgress: @escaping @Sendable (MetadataCopy.Progress) -> Void
    ) async throws -> CopyMetadataCommand.Outcome {
        try await withDatabase(source, creating: false, named: "--from") { from in
            try await withDatabase(target, creating: true, named: "--to") { to in
                let copy = MetadataCopy(from: from.migrator, to: to.migrator, place: target.place, patience: patience)
                let isNeeded = try await Refusal.translating { try await copy.prepare() }
                let rows = isNeeded ? try await run(copy, source.place, onProgress) : nil
                return CopyMetadataCommand.Outcome(from: source.place, to: target.place, rows: rows)
            }
        }
    }

    /// Lets a database take writes again that a copy has left frozen.
    static func thaw(_ source: Location) async throws -> CopyMetadataCommand.Thaw {
        try await withDatabase(source, creating: false, named: "--from") { opened in
            let wasFrozen = try await Refusal.translating { try await MetadataCopy.giveUp(opened.migrator) }
            return CopyMetadataCommand.Thaw(from: source.place, wasFrozen: wasFrozen)
        }
    }

    /// - Returns: how many rows there are; nil when the copy was stopped after they had all been moved.
    private static func run(
        _ copy: MetadataCopy, _ source: String, _ onProgress: @escaping @Sendable (MetadataCopy.Progress) -> Void
    ) async throws -> Int? {
        do {
            return try await Refusal.translating {
                try await Interruption.watching { try await copy.run(onProgress: onProgress) }
            }
        } catch {
            let end = error as? any ExitingError
            let consequence: String
            do {
                switch try await copy.giveUp() {
                case .moved: return nil
                case .open: consequence = "nothing was moved, and \(source) takes writes again"
                case .takenOver: consequence = "\(source) was left as it is"
                }
            } catch {
                consequence = "\(source) is still frozen (\(error)): call the command again, or with --give-up"
            }
            let reason = end?.description ?? "\(error)"
            throw CommandFailure(
                description: "\(reason); \(consequence)", exitStatus: end?.exitStatus ?? .software)
        }
    }

    /// Opens a database for as long as a body runs; a refusal says which flag it is about.
    private static func withDatabase<Value>(
        _ location: Location, creating: Bool, named flag: String, _ body: (MetadataDatabase) async throws -> Value
    ) async throws -> Value {
        guard location != .memory else {
            throw CommandFailure(
                description: "\(flag): a database in memory belongs to its daemon alone", exitStatus: .configuration)
        }
        let opened: MetadataDatabase
        do {
            opened = try await Refusal.translating { try await MetadataDatabase.open(location, creating: creating) }
        } catch let error as Refusal {
            throw CommandFailure(description: "\(flag): \(error.description)", exitStatus: error.exitStatus)
        }
        do {
            let value = try await body(opened)
            try await Refusal.translating { try await opened.database.close() }
            return value
        } catch {
            try? await opened.database.close()
            throw error
        }
    }
}
