/// A UUID that knows what it names, so that a file's id can never be passed where an account's is meant.
///
/// The value is 128 bits in network byte order. Its text is the canonical lower-case form of RFC 9562 section 4.
/// New identifiers are version 7: their order is roughly the order of creation, which keeps index inserts local.
/// Nothing may rely on that order; ages are compared by the database's clock only.
public struct Identifier<Entity>: Hashable, Sendable {
    /// The first eight bytes, most significant first.
    public let high: UInt64
    /// The last eight bytes, most significant first.
    public let low: UInt64

    /// Makes an identifier of the two halves, most significant first.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a new version 7 identifier: 48 bits of Unix milliseconds, 74 random bits (RFC 9562 section 5.7).
    public init() {
        let milliseconds = UInt64(max(0, Timestamp.now().microseconds / 1_000))
        self.init(
            high: milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0x0FFF),
            low: 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF)
        )
    }

    /// Makes a new version 4 identifier: 122 random bits, for identifiers that work as a capability.
    public static func random() -> Self {
        Self(
            high: UInt64.random(in: .min ... .max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF)
        )
    }

    /// Reads sixteen bytes in network order; nil for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self = bytes.withUnsafeBytes { bytes in
            Self(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// Reads the canonical 36-byte text in either case; nil for every other form, braces and `urn:uuid:` included.
    public init?(text: some Collection<UInt8>) {
        guard text.count == 36 else { return nil }
        var digits = [UInt8]()
        digits.reserveCapacity(32)
        for (index, byte) in text.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                digits.append(byte)
            }
        }
        guard let bytes = Hexadecimal.decode(digits) else { return nil }
        self.init(bytes: bytes)
    }

    /// The sixteen bytes in network order.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { bytes, count in
            let space = UnsafeMutableRawBufferPointer(bytes)
            space.storeBytes(of: high.bigEndian, as: UInt64.self)
            space.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    /// Whether all bits are zero: the nil UUID (RFC 9562 section 5.9).
    public var isNil: Bool { high == 0 && low == 0 }

    /// Whether all bits are one: the max UUID (RFC 9562 section 5.10).
    public var isMax: Bool { high == .max && low == .max }

    /// The same bits as the name of another kind of thing; for adapters that translate between the two only.
    public func reinterpreted<Other>(as _: Other.Type = Other.self) -> Identifier<Other> {
        Identifier<Other>(high: high, low: low)
    }
}

extension Identifier: Comparable {
    /// Orders by the bytes.
    public static func < (one: Self, other: Self) -> Bool {
        (one.high, one.low) < (other.high, other.low)
    }
}

extension Identifier: CustomStringConvertible {
    /// The canonical lower-case text of 36 bytes.
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { text in
            var position = 0
            for half in [high, low] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    if position == 8 || position == 13 || position == 18 || position == 23 {
                        text[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    text[position] = Hexadecimal.digit(UInt8(truncatingIfNeeded: half >> shift) & 0x0F)
                    position += 1
                }
            }
            return 36
        }
    }
}
