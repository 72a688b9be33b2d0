import NIOCore
import Synchronization

@testable import StorageCore

/// A blob store that is far away: everything comes as a stream, in chunks that a test can hold up, cut short or change.
final class FarBlobStore: BlobStore {
    struct Script: Sendable {
        /// Chunks from this byte of a blob on wait for the gate.
        var heldFrom: Int64?
        /// The next streams end with an error at this byte of the blob.
        var breaks: [Int64] = []
        /// Whether one bit is wrong.
        var isFlipped = false
        /// Whether opening fails.
        var isAway = false
        /// Whether small blobs come in one piece.
        var hasPieces = false
    }

    let inner = InMemoryBlobStore()
    let gate = Gate()
    private let script = Mutex(Script())
    private let ranges = Mutex<[ByteRange?]>([])

    /// What was opened, in order.
    var opened: [ByteRange?] { ranges.withLock { $0 } }

    func plan(_ change: @Sendable (inout Script) -> Void) { script.withLock { change(&$0) } }

    func put(_ bytes: ByteBuffer) async throws -> BlobKey {
        let staged = try await inner.stage(ByteStream(bytes))
        let key = BlobKey(space: .shared, digest: staged.digest)
        try await inner.publish(staged, as: key)
        return key
    }

    func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        ranges.withLock { $0.append(range) }
        let script = script.withLock { $0 }
        guard !script.isAway else { throw StorageError(.unavailable, "The store is away.", isTransient: true) }
        guard let content = try await inner.open(key, range: range), case .bytes(var bytes) = content.body else {
            return nil
        }
        if script.isFlipped, let first = bytes.readableBytesView.first {
            bytes.setInteger(first ^ 1, at: bytes.readerIndex)
        }
        let end = self.script.withLock { $0.breaks.isEmpty ? nil : $0.breaks.removeFirst() }
        guard !script.hasPieces else {
            return BlobContent(size: content.size, range: content.range, body: .bytes(bytes))
        }
        let whole = bytes
        let stream = ByteStream(length: Int64(bytes.readableBytes), isReplayable: true) { [gate] in
            var rest = whole
            var position = content.range.lowerBound
            return {
                if let held = script.heldFrom, position >= held, rest.readableBytes > 0 { try await gate.pass() }
                if let end, position >= end { throw StorageError(.unavailable, "It broke.", isTransient: true) }
                let chunk = rest.readSlice(length: min(rest.readableBytes, 20_000))
                position += Int64(chunk?.readableBytes ?? 0)
                return chunk?.readableBytes == 0 ? nil : chunk
            }
        }
        return BlobContent(size: content.size, range: content.range, body: .stream(stream))
    }

    func stage(_ body: ByteStream) async throws -> StagedBlob { try await inner.stage(body) }
    func publish(_ staged: StagedBlob, as key: BlobKey) async throws { try await inner.publish(staged, as: key) }
    func discard(_ staged: StagedBlob) async { await inner.discard(staged) }
    func info(for key: BlobKey) async throws -> BlobInfo? { try await inner.info(for: key) }
    func remove(_ key: BlobKey) async throws { try await inner.remove(key) }
    func ping() async throws { try await inner.ping() }
    func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        try await inner.keys(after: key, limit: limit)
    }
    func strays(limit: Int) async throws -> [Stray] { [] }
}
