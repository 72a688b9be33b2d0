import CZlib
import NIOCore

/// The content of one whole gzip stream; nil for anything else.
func gunzip(_ bytes: ByteBuffer) -> ByteBuffer? {
    var state = z_stream()
    guard inflateInit2_(&state, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&state) }
    var input = Array(bytes.readableBytesView)
    return input.withUnsafeMutableBufferPointer { input in
        state.next_in = input.baseAddress
        state.avail_in = UInt32(input.count)
        var output = ByteBuffer()
        var result = Z_OK
        while result == Z_OK {
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
                state.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                state.avail_out = UInt32(room.count)
                result = inflate(&state, Z_NO_FLUSH)
                return room.count - Int(state.avail_out)
            }
        }
        return result == Z_STREAM_END && state.avail_in == 0 ? output : nil
    }
}
