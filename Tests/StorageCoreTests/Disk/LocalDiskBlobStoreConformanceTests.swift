import StorageTesting
import Testing

@testable import StorageCore

@Suite("LocalDiskBlobStore keeps the contract of BlobStore")
struct LocalDiskBlobStoreConformanceTests {
    @Test(
        arguments: [StoreVariant(), StoreVariant(unnamed: false, openat2: false)],
        BlobStoreConformance.clauses + BlobStoreConformance.localClauses + BlobStoreConformance.streamingClauses)
    func holds(_ variant: StoreVariant, _ clause: BlobStoreConformance.Clause) async throws {
        let directory = try TemporaryDirectory()
        try await clause.check {
            try await LocalDiskBlobStore.open(directory, unnamed: variant.unnamed, openat2: variant.openat2)
        }
        let open = try directory.openFiles
        #expect(open.isEmpty)
    }
}
