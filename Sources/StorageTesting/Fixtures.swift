public import NIOCore
public import StorageCore

/// Numbers that look random and are the same for the same seed (SplitMix64): what a failed test used can be made again.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins the sequence of a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension ByteBuffer {
    /// That many bytes that look random, the same for the same seed.
    ///
    /// One block of random bytes again and again, each with a stamp of its own: quick to make, and no two blocks are equal.
    public static func random(count: Int, seed: UInt64) -> ByteBuffer {
        var generator = SeededGenerator(seed: seed)
        let block = ByteBuffer(bytes: (0..<min(count, 1_021)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count + block.readableBytes + 8)
        while buffer.readableBytes < count {
            buffer.writeInteger(generator.next())
            buffer.writeImmutableBuffer(block)
        }
        return buffer.readSlice(length: count) ?? buffer
    }
}

extension ByteStream {
    /// A body that comes in chunks of these sizes, over and over; the last one is what is left.
    ///
    /// - Parameters:
    ///   - whole: All bytes of the body.
    ///   - sizes: The sizes of the chunks; none for a single chunk.
    ///   - length: What the body says of its length; may be wrong on purpose.
    public static func chunked(_ whole: ByteBuffer, sizes: [Int], length: Int64?) -> ByteStream {
        ByteStream(length: length, isReplayable: true) {
            var rest = whole
            var turn = 0
            return {
                guard rest.readableBytes > 0 else { return nil }
                let size = sizes.isEmpty ? rest.readableBytes : sizes[turn % sizes.count]
                turn += 1
                return rest.readSlice(length: Swift.min(Swift.max(size, 1), rest.readableBytes))
            }
        }
    }

    /// A body of any size that looks random, made chunk by chunk; the same for the same seed.
    public static func random(count: Int64, seed: UInt64, chunkSize: Int = 64 << 10) -> ByteStream {
        ByteStream(length: count, isReplayable: true) {
            var left = count
            var generator = SeededGenerator(seed: seed)
            return {
                guard left > 0 else { return nil }
                let size = Int(Swift.min(left, Int64(chunkSize)))
                left -= Int64(size)
                return ByteBuffer.random(count: size, seed: generator.next())
            }
        }
    }
}

extension BlobDigest {
    /// The SHA-256 of bytes in memory.
    public static func of(_ bytes: ByteBuffer) throws -> BlobDigest {
        try SHA256.digest(of: bytes)
    }

    /// A digest of no known bytes, another one at every call.
    public static func random() -> BlobDigest {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        // 32 bytes always make a digest.
        return BlobDigest(bytes: bytes) ?? .zero
    }
}

extension TokenDigest {
    /// A digest of no known token, another one at every call.
    public static func random() -> TokenDigest {
        TokenDigest(bytes: BlobDigest.random().bytes)
    }
}
