import NIOCore
import StorageCore

/// Where bodies wait until they are in the bucket: on local disk, or in memory up to 64 KiB.
///
/// They need not survive anything: no upload is acknowledged before its bytes are in the bucket.
final class S3Spool: Sendable {
    private let disk: LocalDiskBlobStore

    init(_ disk: LocalDiskBlobStore) {
        self.disk = disk
    }

    /// Takes a whole body in.
    func stage(_ body: ByteStream) async throws -> StagedBlob {
        if let length = body.length, length > .smallBlob { return try await spool(body) }
        var beginning = ByteBuffer()
        var chunks = body.makeAsyncIterator()
        while Int64(beginning.readableBytes) <= .smallBlob {
            guard let chunk = try await chunks.next() else {
                try Self.check(Int64(beginning.readableBytes), announced: body.length)
                let digest = try SHA256.digest(of: beginning)
                let staged = S3Staged(.memory(beginning), in: self)
                return StagedBlob(digest: digest, size: Int64(beginning.readableBytes), handle: staged)
            }
            beginning.writeImmutableBuffer(chunk)
        }
        try Self.check(atLeast: Int64(beginning.readableBytes), announced: body.length)
        // Guarded by the one task that takes the body in: nobody else has the stream, and the disk passes over it once.
        nonisolated(unsafe) var rest = (beginning: Optional(beginning), chunks: chunks)
        let whole = ByteStream(length: body.length, isReplayable: false) {
            return {
                if let beginning = rest.beginning.take() { return beginning }
                return try await rest.chunks.next()
            }
        }
        return try await spool(whole)
    }

    private func spool(_ body: ByteStream) async throws -> StagedBlob {
        let staged = try await disk.stage(body)
        return StagedBlob(digest: staged.digest, size: staged.size, handle: S3Staged(.spool(staged), in: self))
    }

    /// Gives back what a staged body holds.
    func discard(_ staged: StagedBlob) async {
        guard let handle = staged.handle as? S3Staged, handle.belongs(to: self) else { return }
        if case .spool(let blob) = handle.release() { await disk.discard(blob) }
    }

    /// The whole body, as a request carries it.
    func body(of staged: StagedBlob) throws -> S3Body {
        switch try bytes(of: staged) {
        case .memory(let bytes): .bytes(bytes, staged.digest)
        case .spool(let blob):
            .stream(disk.stream(of: blob, range: 0..<blob.size), length: blob.size, staged.digest)
        }
    }

    /// A part of the body, as a request carries it.
    func body(of staged: StagedBlob, _ range: ByteRange) async throws -> S3Body {
        switch try bytes(of: staged) {
        case .memory(let bytes):
            let slice = bytes.getSlice(at: bytes.readerIndex + Int(range.lowerBound), length: range.count)
            return try .digesting(slice ?? ByteBuffer())
        case .spool(let blob):
            let digest = try await disk.digest(of: blob, range: range)
            return .stream(disk.stream(of: blob, range: range), length: Int64(range.count), digest)
        }
    }

    private func bytes(of staged: StagedBlob) throws -> S3Staged.Bytes {
        guard let handle = staged.handle as? S3Staged, handle.belongs(to: self) else {
            throw StorageError(.internal, "The body was taken in by another store.")
        }
        guard let bytes = handle.bytes else { throw StorageError(.internal, "The body was given back already.") }
        return bytes
    }

    private static func check(_ size: Int64, announced length: Int64?) throws {
        guard let length, length != size else { return }
        throw StorageError(.unprocessable, "The body has not the \(length) bytes that were announced, but \(size).")
    }

    private static func check(atLeast size: Int64, announced length: Int64?) throws {
        guard let length, size > length else { return }
        throw StorageError(.unprocessable, "The body has not the \(length) bytes that were announced, but more.")
    }
}
