import StorageCore
import StorageTesting
import Testing

@Suite("BlobStoreConformance of the store on disk")
struct LocalDiskBlobStoreConformanceTests {
    @Test(
        arguments: BlobStoreConformance.clauses + BlobStoreConformance.localClauses
            + BlobStoreConformance.streamingClauses)
    func holds(_ clause: BlobStoreConformance.Clause) async throws {
        let directory = try TemporaryDirectory()
        try await clause.check { try await LocalDiskBlobStore.open(directory: directory.path + "/store") }
    }
}
