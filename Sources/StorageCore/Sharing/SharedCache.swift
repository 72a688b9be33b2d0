public import NIOCore

/// A memory that several processes share, and that may be gone, slow or wrong at any moment.
///
/// # Behavior
///
/// - Must answer within a few milliseconds, or say nothing: whoever asks goes on without it.
/// - Never throws but for ``ping()``: what is not there and what cannot be known are the same.
/// - May lose anything at any time, and may answer with what was never put into it. So it is never an authority: whoever reads a value
///   finds out by itself whether that is right, as ``TrustedCache`` does.
/// - ``set(_:for:lifetime:)`` and ``remove(_:)`` only begin: they never wait and may fail silently.
public protocol SharedCache: Sendable {
    /// The value of a key; nil when there is none, or none to be had in time.
    func value(for key: SharedCacheKey) async -> ByteBuffer?

    /// Puts a value in place of the key's former one, for as long as `lifetime` says at most.
    func set(_ value: ByteBuffer, for key: SharedCacheKey, lifetime: Duration)

    /// Forgets the value of a key.
    func remove(_ key: SharedCacheKey)

    /// Adds one to a counter and returns what it is then; nil when that is not to be had in time.
    ///
    /// - Parameters:
    ///   - key: The counter's name.
    ///   - lifetime: How long the counter lasts from its first one on.
    func increment(_ key: SharedCacheKey, lifetime: Duration) async -> Int64?

    /// Asks for a sign of life.
    ///
    /// - Throws: ``StorageError/Code/unavailable`` when there is none within a second.
    func ping() async throws
}

/// What a value of a shared cache is found by.
public struct SharedCacheKey: Hashable, Sendable {
    /// Letters, digits and colons.
    public let bytes: [UInt8]

    /// Takes the bytes of a key.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}
