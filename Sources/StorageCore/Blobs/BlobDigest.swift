/// The SHA-256 of a blob's bytes (FIPS 180-4): 32 bytes that name the content.
public struct BlobDigest: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Reads 32 bytes; nil for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = bytes.withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            return (word(0), word(1), word(2), word(3))
        }
    }

    /// Reads 64 ASCII hex digits in either case; nil for everything else.
    public init?(hex: some Collection<UInt8>) {
        guard hex.count == 64, let bytes = Hexadecimal.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    /// 32 zero bytes: the digest of nothing that exists, for probes.
    package static let zero = BlobDigest(words: (0, 0, 0, 0))

    private init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
            let space = UnsafeMutableRawBufferPointer(bytes)
            space.storeBytes(of: words.0.bigEndian, as: UInt64.self)
            space.storeBytes(of: words.1.bigEndian, toByteOffset: 8, as: UInt64.self)
            space.storeBytes(of: words.2.bigEndian, toByteOffset: 16, as: UInt64.self)
            space.storeBytes(of: words.3.bigEndian, toByteOffset: 24, as: UInt64.self)
            count = 32
        }
    }

    /// 64 lower-case hex digits.
    public var hex: String { Hexadecimal.encode(bytes) }

    /// The first byte as two hex digits: the folder that the blob lies in.
    public var prefix: String { Hexadecimal.encode([UInt8(truncatingIfNeeded: words.0 >> 56)]) }

    /// Compares all bytes.
    public static func == (one: Self, other: Self) -> Bool { one.words == other.words }

    /// Feeds the first half, which is as random as the whole.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension BlobDigest: CustomStringConvertible {
    /// The lower-case hex digits.
    public var description: String { hex }
}
