import ServiceLifecycle
import StorageCore
import StorageSQL

/// Keeps the stores open, and the threads that hash passwords running, until everything that uses them has ended.
struct OpenStores: Service {
    let metadata: SQLMetadataStore
    let blobs: LocalDiskBlobStore
    let authentication: BuiltInAuthentication

    func run() async throws {
        try? await gracefulShutdown()
        await authentication.shutdown()
        try await metadata.close()
        await blobs.shutdown()
    }
}
