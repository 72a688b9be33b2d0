public import StorageCore

/// What every ``/StorageCore/MetadataStore`` must do, clause by clause.
///
/// Clauses need no clock of their own: leases, grace and lifetimes are passed as durations that have ended already, or
/// will not end during the test.
public enum MetadataStoreConformance {
    /// One thing that must hold.
    public typealias Clause = ConformanceClause<any MetadataStore>

    /// The clauses that take moments each.
    public static let clauses: [Clause] =
        claims + uploads + puts + revisions + agreement + history + restorations + races + links + healing + folders
        + deletions + trees + moves + folderMoves
        + copies + lists + prefixes + searches + folderUsages + usage + limits + reservations + accounts + builtIn
        + credentials
        + credentialLists + closing + containers + collection + upkeep + inspections + recall

    /// The clauses that need thousands of entries.
    public static let largeClauses: [Clause] = largeMoves + largeHealing

    static func clause(
        _ name: String, _ body: @escaping @Sendable (MetadataScene) async throws -> Void
    ) -> Clause {
        Clause(name) { store in try await body(try await MetadataScene(store)) }
    }
}
