import NIOCore

/// What a ZIP archive says of the bytes of an entry, counted as they are deflated.
struct ZipContent: Equatable, Sendable {
    /// The checksum of the bytes that went in.
    private(set) var crc: UInt32 = 0
    /// How many went in.
    private(set) var size: Int64 = 0
    /// How many came out.
    private(set) var compressedSize: Int64 = 0

    /// Of an entry without bytes.
    init() {}

    /// Of bytes that were counted elsewhere.
    init(crc: UInt32, size: Int64, compressedSize: Int64) {
        self.crc = crc
        self.size = size
        self.compressedSize = compressedSize
    }

    /// Deflates the next bytes; gives what is ready, which may be nothing. Takes the processor for long.
    ///
    /// - Parameter isLast: Whether the entry ends with them.
    mutating func deflate(_ chunk: ByteBuffer, isLast: Bool, by deflater: Deflater) throws -> ByteBuffer {
        let output = try deflater.compress(chunk, isLast: isLast)
        var checksum = CRC32(value: crc)
        checksum.update(chunk)
        crc = checksum.value
        size += Int64(chunk.readableBytes)
        compressedSize += Int64(output.readableBytes)
        return output
    }
}
