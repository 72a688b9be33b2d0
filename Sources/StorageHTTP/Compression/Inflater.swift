import CZlib
import NIOCore
import StorageCore

/// Reads what was compressed beforehand (gzip, RFC 1952), through zlib.
enum Inflater {
    /// The content of a whole gzip stream.
    ///
    /// - Parameters:
    ///   - bytes: One stream, with nothing behind it.
    ///   - limit: Bytes that the content may have at most.
    /// - Throws: `internal` for anything else: what is read here is a part of the program.
    static func content(of bytes: ByteBuffer, limit: Int) throws -> ByteBuffer {
        // zlib's own state points back to it, so it must never move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        guard zlib_inflate_begin(stream) == Z_OK else {
            throw StorageError(.unavailable, "There is no memory to unpack with.", isTransient: true)
        }
        defer { inflateEnd(stream) }
        return try bytes.withUnsafeReadableBytes { bytes in
            let bytes = bytes.bindMemory(to: UInt8.self)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            stream.pointee.avail_in = CUnsignedInt(clamping: bytes.count)
            var output = ByteBuffer()
            var result = Z_OK
            while result == Z_OK, output.readableBytes <= limit {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
                    let room = room.bindMemory(to: UInt8.self)
                    let offered = CUnsignedInt(clamping: room.count)
                    stream.pointee.next_out = room.baseAddress
                    stream.pointee.avail_out = offered
                    result = inflate(stream, Z_NO_FLUSH)
                    return Int(offered - stream.pointee.avail_out)
                }
            }
            guard result == Z_STREAM_END, stream.pointee.avail_in == 0, output.readableBytes <= limit else {
                throw StorageError(.internal, "This is no gzip stream of at most \(limit) bytes.")
            }
            return output
        }
    }
}
