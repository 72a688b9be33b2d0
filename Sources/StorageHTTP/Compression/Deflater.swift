import CZlib
import NIOCore
import StorageCore
import Synchronization

/// Compresses one content after the other (deflate, RFC 1951), through zlib.
///
/// Its method takes the processor for long and never runs on an event loop.
final class Deflater: Sendable {
    /// What is around the compressed bytes.
    enum Form: Sendable, CaseIterable {
        /// Nothing: an archive has headers of its own.
        case raw
        /// A gzip stream (RFC 1952).
        case gzip

        /// As zlib is told: a window of 32 KiB in either.
        fileprivate var windowBits: CInt {
            switch self {
            case .raw: -MAX_WBITS
            case .gzip: MAX_WBITS + 16
            }
        }
    }

    private struct State: ~Copyable {
        // zlib's own state points back to it, so it must never move.
        let stream: UnsafeMutablePointer<z_stream>

        deinit {
            deflateEnd(stream)
            stream.deallocate()
        }
    }

    // Never contended: the chunks of a content are compressed one after the other.
    private let state: Mutex<State>

    /// Begins the first content; takes about 256 KiB of memory.
    ///
    /// - Parameters:
    ///   - level: From 1, the fastest, to 9, the smallest; 0 stores the bytes in blocks as they are.
    ///   - form: What is around them.
    init(level: CInt, form: Form) throws {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard zlib_deflate_begin(stream, level, form.windowBits) == Z_OK else {
            stream.deallocate()
            throw StorageError(.unavailable, "There is no memory to compress with.", isTransient: true)
        }
        state = Mutex(State(stream: stream))
    }

    /// Compresses a chunk; gives what is ready, which may be nothing.
    ///
    /// - Parameter isLast: Whether the content ends with it: then everything is ready, and the next content may begin.
    func compress(_ chunk: ByteBuffer, isLast: Bool) throws -> ByteBuffer {
        try state.withLock { state in
            let output = try Self.run(state.stream, chunk, isLast ? Z_FINISH : Z_NO_FLUSH)
            if isLast { deflateReset(state.stream) }
            return output
        }
    }

    /// Gives a chunk to zlib, and takes all that it makes of it.
    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ chunk: ByteBuffer, _ flush: CInt
    ) throws -> ByteBuffer {
        try chunk.withUnsafeReadableBytes { bytes in
            let bytes = bytes.bindMemory(to: UInt8.self)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            stream.pointee.avail_in = CUnsignedInt(bytes.count)
            var output = ByteBuffer()
            var result = Z_OK
            repeat {
                let room = max(1_024, Int(stream.pointee.avail_in) / 2)
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
                    let space = space.bindMemory(to: UInt8.self)
                    stream.pointee.next_out = space.baseAddress
                    stream.pointee.avail_out = CUnsignedInt(space.count)
                    result = deflate(stream, flush)
                    return space.count - Int(stream.pointee.avail_out)
                }
                // Z_BUF_ERROR says only that there was nothing left to do.
                guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                    throw StorageError(.internal, "zlib failed with \(result).")
                }
            } while stream.pointee.avail_out == 0 && result != Z_STREAM_END
            return output
        }
    }
}
