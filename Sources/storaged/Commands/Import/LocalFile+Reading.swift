import Glibc
import NIOCore
import StorageCore

extension LocalFile {
    private static let chunk = 256 << 10

    /// The bytes of the file, read on the threads of `pool`; a second pass begins at the start again.
    ///
    /// - Parameter progress: Is told how many bytes each chunk has.
    func bytes(
        on pool: BlockingPool, progress: @escaping @Sendable (Int) -> Void
    ) -> ByteStream {
        let (file, size) = (file, state.size)
        return ByteStream(length: size, isReplayable: true) {
            var offset: Int64 = 0
            return {
                try Task.checkCancellation()
                guard offset < size else { return nil }
                let start = offset
                let buffer = try await pool.run {
                    try Self.read(file, at: start, upTo: Int(min(Int64(Self.chunk), size - start)))
                }
                guard buffer.readableBytes > 0 else { throw LocalFileError.changed }
                offset += Int64(buffer.readableBytes)
                progress(buffer.readableBytes)
                return buffer
            }
        }
    }

    /// The SHA-256 of the file's bytes. Blocks for as long as it takes to read them all.
    func digest() throws -> BlobDigest {
        var hasher = try SHA256Hasher()
        var offset: Int64 = 0
        while offset < state.size {
            let buffer = try Self.read(file, at: offset, upTo: Int(min(Int64(Self.chunk), state.size - offset)))
            guard buffer.readableBytes > 0 else { throw LocalFileError.changed }
            try hasher.update(buffer)
            offset += Int64(buffer.readableBytes)
        }
        return try hasher.finalize()
    }

    /// Refuses a file that somebody wrote to since it was opened.
    func checkUnchanged() throws(LocalFileError) {
        guard try LocalFileState(of: file) == state else { throw .changed }
    }

    private static func read(_ file: OpenFile, at offset: Int64, upTo count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            while true {
                let result = pread(file.descriptor, bytes.baseAddress, count, off_t(offset))
                if result >= 0 { return result }
                if errno != EINTR { throw LocalFileError.ofLastCall }
            }
        }
        return buffer
    }
}

extension LocalFileError {
    /// Somebody writes to the file while it is imported.
    static let changed = LocalFileError("it changed while it was read")
}
