import CZlib
import NIOCore

/// The checksum of ZIP and 7z (polynomial EDB88320), computed as the bytes come.
struct CRC32 {
    /// Of what has come so far.
    private(set) var value: UInt32 = 0

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        value = UInt32(truncatingIfNeeded: crc32_z(uLong(value), start, bytes.count))
    }

    mutating func update(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { update($0) }
    }
}
