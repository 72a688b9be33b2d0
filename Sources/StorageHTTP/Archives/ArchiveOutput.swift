import Hummingbird
import NIOCore
import StorageCore

/// Sends an archive in chunks that are worth a system call: the many small parts of one are collected.
///
/// Concurrent as Hummingbird's own writers are.
struct ArchiveOutput {
    private static let chunk = 64 << 10

    /// Where it goes; complete after ``flush()``.
    private(set) var writer: any ResponseBodyWriter
    private var pending = ByteBuffer()

    init(to writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    @concurrent mutating func write(_ bytes: ByteBuffer) async throws {
        guard bytes.readableBytes < Self.chunk else {
            try await flush()
            try await writer.write(bytes)
            return
        }
        var bytes = bytes
        pending.writeBuffer(&bytes)
        if pending.readableBytes >= Self.chunk { try await flush() }
    }

    @concurrent mutating func write(_ stream: ByteStream) async throws {
        for try await chunk in stream { try await write(chunk) }
    }

    /// Sends what is left.
    @concurrent mutating func flush() async throws {
        guard pending.readableBytes > 0 else { return }
        let bytes = pending
        pending = ByteBuffer()
        try await writer.write(bytes)
    }
}
