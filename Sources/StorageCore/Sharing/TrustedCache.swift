import Logging
import Metrics
import NIOCore

/// What is believed of a shared cache: names and values under a key that only those have who share a database.
///
/// The names tell nothing of what they stand for. A value that matters has an HMAC over its name and itself, so that whoever can write
/// into the cache can at most bring back what once was there.
public struct TrustedCache: Sendable {
    /// What a value is for; it keeps the names apart.
    enum Purpose: String {
        case principal, blob, rate
    }

    private static let version: UInt8 = 1
    private static let setting = "cache.key"

    /// The cache itself, which is not to be believed.
    public let cache: any SharedCache
    private let key: [UInt8]
    private let reports = MalformedValues()
    /// What time it is for all who share the database.
    let clock = DatabaseClock()

    /// Takes the key that the database has for this; the first who asks draws it.
    ///
    /// - Throws: What the database throws; ``StorageError/Code/internal`` for a key that is none.
    public init(_ cache: any SharedCache, metadata: any MetadataStore) async throws {
        let drawn = Hexadecimal.encode(try SHA256.randomBytes(SHA256.byteCount))
        let text = try await metadata.setting(Self.setting, default: drawn) ?? drawn
        guard let key = Hexadecimal.decode(Array(text.utf8)), key.count == SHA256.byteCount else {
            throw StorageError(.internal, "The setting \(Self.setting) of the database is not a key.")
        }
        self.init(cache, key: key)
    }

    init(_ cache: any SharedCache, key: [UInt8]) {
        self.cache = cache
        self.key = key
    }

    /// The name of something; nil when it cannot be made.
    func name(_ purpose: Purpose, _ subject: [UInt8]) -> SharedCacheKey? {
        guard let digest = try? SHA256.authenticate(Array("name:\(purpose.rawValue):".utf8) + subject, key: key) else {
            return nil
        }
        return SharedCacheKey(
            bytes: Array("storaged:\(Self.version):\(purpose.rawValue):\(Hexadecimal.encode(digest))".utf8))
    }

    /// The bytes that were put under a name by somebody who has the key; nil for none, and for any others.
    func sealed(_ name: SharedCacheKey) async -> [UInt8]? {
        guard let value = await cache.value(for: name) else { return nil }
        let bytes = Array(value.readableBytesView)
        guard bytes.count > SHA256.byteCount, let code = code(of: bytes.dropLast(SHA256.byteCount), name),
            SHA256.isEqual(code, Array(bytes.suffix(SHA256.byteCount)))
        else {
            refuse()
            return nil
        }
        return Array(bytes.dropLast(SHA256.byteCount))
    }

    /// Puts bytes under a name, so that ``sealed(_:)`` takes them for right.
    func seal(_ bytes: [UInt8], as name: SharedCacheKey, lifetime: Duration) {
        guard let code = code(of: bytes[...], name) else { return }
        cache.set(ByteBuffer(bytes: bytes + code), for: name, lifetime: lifetime)
    }

    /// Notes that a value was not what its name says.
    func refuse() {
        reports.add()
    }

    private func code(of bytes: ArraySlice<UInt8>, _ name: SharedCacheKey) -> [UInt8]? {
        try? SHA256.authenticate(Array("value:".utf8) + name.bytes + [0] + bytes, key: key)
    }
}
