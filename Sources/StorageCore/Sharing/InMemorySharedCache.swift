public import NIOCore
import Synchronization

/// A shared cache in the memory of one process: for tests of several parts that share it.
public final class InMemorySharedCache: SharedCache {
    private struct Entry {
        var value: ByteBuffer
        var count: Int64 = 0
        let end: ContinuousClock.Instant
    }

    private let entries: Mutex<LRUCache<SharedCacheKey, Entry>>

    /// Makes an empty one.
    ///
    /// - Parameter capacity: How many values it keeps.
    public init(capacity: Int = 65_536) {
        entries = Mutex(LRUCache(capacity: capacity))
    }

    /// The value of a key that has not come to its end.
    public func value(for key: SharedCacheKey) async -> ByteBuffer? {
        entries.withLock { Self.living(key, in: &$0)?.value }
    }

    /// Puts a value in place of the former one.
    public func set(_ value: ByteBuffer, for key: SharedCacheKey, lifetime: Duration) {
        entries.withLock { $0.insert(Entry(value: value, end: .now + lifetime), for: key) }
    }

    /// Forgets a value.
    public func remove(_ key: SharedCacheKey) {
        entries.withLock { $0.remove(key) }
    }

    /// Counts.
    public func increment(_ key: SharedCacheKey, lifetime: Duration) async -> Int64? {
        entries.withLock { entries in
            var entry = Self.living(key, in: &entries) ?? Entry(value: ByteBuffer(), end: .now + lifetime)
            entry.count += 1
            entries.insert(entry, for: key)
            return entry.count
        }
    }

    /// Is always there.
    public func ping() async throws {}

    private static func living(_ key: SharedCacheKey, in entries: inout LRUCache<SharedCacheKey, Entry>) -> Entry? {
        guard let entry = entries.value(for: key) else { return nil }
        guard entry.end > .now else {
            entries.remove(key)
            return nil
        }
        return entry
    }
}
