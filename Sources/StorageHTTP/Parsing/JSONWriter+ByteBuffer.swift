import NIOCore

extension JSONWriter {
    /// Hands over what was written so far and goes on behind it.
    mutating func take() -> ByteBuffer {
        defer { removeWritten() }
        return ByteBuffer(bytes: bytes)
    }
}
