import StorageCore
import StorageRedis
import StorageSQL
import StorageSQLite

/// What is open of the stores, each to be given back.
struct OpenParts {
    var database: MetadataDatabase?
    var disks: [LocalDiskBlobStore] = []
    var hotCache: HotBlobStore?
    var cache: RedisCache?
    var memoryCache: CachedBlobStore?
    var records: SQLMetadataStore?
    var locks: [DataDirectoryLock] = []

    func close() async {
        try? await database?.database.close()
        await hotCache?.shutdown()
        await cache?.shutdown()
        for disk in disks { await disk.shutdown() }
        for lock in locks { lock.release() }
    }
}
