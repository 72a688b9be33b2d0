public import StorageCore

/// What every ``/StorageCore/BlobStore`` must do, clause by clause.
public enum BlobStoreConformance {
    /// One thing that must hold.
    public typealias Clause = ConformanceClause<any BlobStore>

    /// The clauses for every store.
    public static let clauses: [Clause] = staging + publishing + reading + removing + listing

    /// The further clauses for stores whose content outlives its key: memory and local disk.
    public static let localClauses: [Clause] = outliving

    /// The further clauses for stores that keep their bytes outside of memory.
    public static let streamingClauses: [Clause] = streaming

    static func clause(_ name: String, _ body: @escaping @Sendable (BlobScene) async throws -> Void) -> Clause {
        Clause(name) { store in try await body(BlobScene(store: store)) }
    }
}
