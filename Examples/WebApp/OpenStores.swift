import ServiceLifecycle
import StorageCore
import StorageSQL

/// Keeps the stores open until everything that uses them has ended.
struct OpenStores: Service {
    let metadata: SQLMetadataStore
    let blobs: LocalDiskBlobStore

    func run() async throws {
        try? await gracefulShutdown()
        try await metadata.close()
        await blobs.shutdown()
    }
}
