import NIOCore

/// Gathers the chunks of a body into batches that are worth a trip to another thread.
///
/// The size of a batch follows the client's speed, 32 KiB to 1 MiB, so that a thousand slow uploads cost little memory and a fast
/// one few trips. Small chunks are copied together, because each would hold on to the whole receive buffer that it is a part of.
struct BodyBatches {
    /// Chunks in order.
    struct Batch: Sendable {
        var chunks: [ByteBuffer] = []
        var count = 0
        /// Whether the body ended with it.
        var isLast = false
        fileprivate var endsInCopy = false
    }

    /// Bodies up to this size are taken in by one trip.
    static let smallBody = 64 << 10
    private static let smallest = 32 << 10
    private static let largest = 1 << 20

    private var iterator: ByteStream.Iterator
    private let length: Int64?
    private var received: Int64 = 0
    private var target = smallest

    /// Begins a pass over the body.
    init(_ body: ByteStream) {
        iterator = body.makeAsyncIterator()
        length = body.length
    }

    /// The beginning of the body: all of it if it is small.
    mutating func first() async throws -> Batch {
        try await gather(upTo: Self.smallBody + 1, isStopped: { false })
    }

    /// The next batch; cut short when `isStopped` says that more is of no use.
    mutating func next(isStopped: () -> Bool) async throws -> Batch {
        let start = ContinuousClock.now
        let batch = try await gather(upTo: target, isStopped: isStopped)
        let duration = ContinuousClock.now - start
        if duration < .milliseconds(20) {
            target = min(target * 2, Self.largest)
        } else if duration > .milliseconds(200) {
            target = max(target / 2, Self.smallest)
        }
        return batch
    }

    private mutating func gather(upTo target: Int, isStopped: () -> Bool) async throws -> Batch {
        var batch = Batch()
        while batch.count < target, !isStopped() {
            guard let chunk = try await iterator.next() else {
                batch.isLast = true
                if let length, length != received { throw StagingFile.wrongLength(received, announced: length) }
                break
            }
            received += Int64(chunk.readableBytes)
            if let length, received > length { throw StagingFile.wrongLength(received, announced: length) }
            batch.append(chunk)
        }
        return batch
    }
}

extension BodyBatches.Batch {
    private static let worthKeeping = 64 << 10

    fileprivate mutating func append(_ chunk: ByteBuffer) {
        count += chunk.readableBytes
        guard !chunks.isEmpty, chunk.readableBytes < Self.worthKeeping else {
            chunks.append(chunk)
            endsInCopy = false
            return
        }
        if endsInCopy, chunks[chunks.count - 1].writableBytes >= chunk.readableBytes {
            chunks[chunks.count - 1].writeImmutableBuffer(chunk)
        } else {
            var copy = ByteBufferAllocator().buffer(capacity: Self.worthKeeping)
            copy.writeImmutableBuffer(chunk)
            chunks.append(copy)
            endsInCopy = true
        }
    }
}
