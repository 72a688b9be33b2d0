import StorageCore
import StorageTesting
import Testing

@Suite("InMemoryBlobStore")
struct InMemoryBlobStoreTests {
    @Test(arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses)
    func holds(_ clause: BlobStoreConformance.Clause) async throws {
        try await clause.check { InMemoryBlobStore() }
    }
}
