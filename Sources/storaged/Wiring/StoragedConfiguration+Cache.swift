import Logging
import StorageCore
import StorageRedis

extension StoragedConfiguration {
    /// Begins to use the cache that is configured, if one is; whether it can be reached now does not matter.
    ///
    /// - Throws: What the database says to a question for the key of the cache.
    func openCache(_ metadata: any MetadataStore, _ parts: inout OpenParts) async throws -> TrustedCache? {
        guard let address = cache else { return nil }
        let redis = RedisCache(address)
        parts.cache = redis
        do {
            try await redis.ping()
        } catch {
            Logger(label: "storaged").warning(
                "the shared cache cannot be reached; going on without it until it can",
                metadata: ["address": "\(address)", "error": "\(error)"])
        }
        return try await TrustedCache(redis, metadata: metadata)
    }
}
