import StorageCore
import StorageTesting
import Testing

@testable import storaged

/// What the daemon puts between its routes and the disk, as the one function composes it that the daemon itself calls.
@Suite("The stores as the daemon opens them")
struct StoresConformanceTests {
    /// Everything on disk, and everything in memory.
    static let settings: [[String: String]] = [[:], ["database.url": "memory:"]]

    @Test(
        "keep the contract of BlobStore", arguments: settings,
        BlobStoreConformance.clauses + BlobStoreConformance.localClauses)
    func blobs(_ settings: [String: String], _ clause: BlobStoreConformance.Clause) async throws {
        try await withStores(settings) { stores in try await clause.check { stores.blobs } }
    }

    @Test("keep the contract of MetadataStore", arguments: MetadataStoreConformance.clauses)
    func metadata(_ clause: MetadataStoreConformance.Clause) async throws {
        try await withStores(Self.settings[1]) { stores in try await clause.check { stores.metadata } }
    }

    /// Every eighth clause: each makes a data directory of hundreds of folders, and all were checked on a database file alone.
    @Test(
        "keep the contract of MetadataStore in a data directory",
        arguments: stride(from: 0, to: MetadataStoreConformance.clauses.count, by: 8).map {
            MetadataStoreConformance.clauses[$0]
        })
    func metadataOnDisk(_ clause: MetadataStoreConformance.Clause) async throws {
        try await withStores([:]) { stores in try await clause.check { stores.metadata } }
    }

    private func withStores(_ settings: [String: String], _ body: (Stores) async throws -> Void) async throws {
        let directory = try DataDirectory()
        let stores = try await Stores(directory.configuration(settings))
        do {
            try await body(stores)
        } catch {
            await stores.close()
            throw error
        }
        await stores.close()
    }
}
