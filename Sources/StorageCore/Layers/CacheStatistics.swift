/// What a cache has done since it was made, and what it holds.
public struct CacheStatistics: Hashable, Sendable {
    /// How many look-ups it answered.
    public var hits: UInt64 = 0
    /// How many it could not answer.
    public var misses: UInt64 = 0
    /// How many bytes it holds, where it knows.
    public var bytes: Int64?

    /// Describes a cache.
    public init(hits: UInt64 = 0, misses: UInt64 = 0, bytes: Int64? = nil) {
        self.hits = hits
        self.misses = misses
        self.bytes = bytes
    }
}
