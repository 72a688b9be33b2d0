import StorageCore
import StorageTesting
import Testing

@Suite("InMemoryMetadataStore")
struct InMemoryMetadataStoreTests {
    @Test(arguments: MetadataStoreConformance.clauses + MetadataStoreConformance.largeClauses)
    func holds(_ clause: MetadataStoreConformance.Clause) async throws {
        try await clause.check { InMemoryMetadataStore() }
    }
}
