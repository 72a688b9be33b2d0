import Foundation
import StorageCore
import Testing

@testable import StorageRedis

/// The Redis that tests have of their own; `make test` starts it.
enum RedisServer {
    /// Its URL; nil where there is none. CI counts a test that does not run for that as a failure.
    static let url = ProcessInfo.processInfo.environment["STORAGED_TEST_REDIS"].flatMap { $0.isEmpty ? nil : $0 }

    /// Gives a test a cache over it, patient enough for a busy machine.
    static func withCache<Value>(
        patience: Duration = .seconds(5), writing: Duration = .seconds(5), at address: RedisAddress? = nil,
        _ body: (RedisCache) async throws -> Value
    ) async throws -> Value {
        var options = RedisCache.Options()
        (options.patience, options.connecting, options.writing) = (patience, .seconds(5), writing)
        let cache = RedisCache(try address ?? own(), options: options)
        do {
            let value = try await body(cache)
            await cache.shutdown()
            return value
        } catch {
            await cache.shutdown()
            throw error
        }
    }

    static func own() throws -> RedisAddress {
        let url = try #require(url, "STORAGED_TEST_REDIS names no server")
        return try #require(RedisAddress(url))
    }

    /// A name that nobody else has.
    static func newKey() -> SharedCacheKey { SharedCacheKey(bytes: Array("test:\(UUID().uuidString)".utf8)) }
}

extension Trait where Self == ConditionTrait {
    /// Only where there is a Redis.
    static var needsRedis: Self { .enabled(if: RedisServer.url != nil, "STORAGED_TEST_REDIS names no server") }
}
