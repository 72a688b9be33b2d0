import NIOCore
public import StorageCore
import Synchronization

extension S3BlobStore {
    /// The size of a blob.
    public func info(for key: BlobKey) async throws -> BlobInfo? {
        try await caller.call("head") { _ in
            if let object = try await bucket.head(key.name) { return BlobInfo(size: object.size) }
            // Without a body, the answer looks the same when the bucket is gone: that must not count as the loss of a blob.
            try await bucket.headBucket()
            return nil
        }
    }

    /// Opens a blob with one request; up to 64 KiB are read whole, more come as a stream that outlives broken connections.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        if let range, range.isEmpty { return try await emptyPart(of: key, at: range.lowerBound) }
        return try await caller.call("get") { _ in
            guard let answer = try await bucket.get(key.name, range: range) else { return nil }
            switch answer.status {
            case 200, 206: return try await content(of: key, answer, asked: range)
            // No byte of the blob lies in the range.
            case 416:
                guard let object = try await bucket.head(key.name) else { return nil }
                guard object.size <= range?.lowerBound ?? 0 else {
                    throw S3Failure.unbelievable("416 for bytes that are there")
                }
                return BlobContent(size: object.size, range: object.size..<object.size, body: .bytes(ByteBuffer()))
            default: throw S3Failure.unbelievable("status \(answer.status) without a condition")
            }
        }
    }

    private func emptyPart(of key: BlobKey, at position: Int64) async throws -> BlobContent? {
        guard let size = try await info(for: key)?.size else { return nil }
        let start = min(max(position, 0), size)
        return BlobContent(size: size, range: start..<start, body: .bytes(ByteBuffer()))
    }

    private func content(of key: BlobKey, _ answer: S3Answer, asked: ByteRange?) async throws -> BlobContent {
        let (part, size) = try Self.part(of: answer, asked: asked)
        guard let length = answer.contentLength, length == Int64(part.count) else {
            throw S3Failure.unbelievable("a part of another length than it says")
        }
        guard length > .smallBlob else {
            let bytes = try await answer.collect(upTo: Int(length))
            guard Int64(bytes.readableBytes) == length else { throw S3Failure.unbelievable("a body that is too short") }
            return BlobContent(size: size, range: part, body: .bytes(bytes))
        }
        guard let entityTag = answer.entityTag else { throw S3Failure.unbelievable("an object without entity tag") }
        let object = S3Object(size: size, entityTag: entityTag)
        let first = FirstAnswer(answer)
        let stream = ByteStream(length: length, isReplayable: true) { [self] in
            var download = S3Download(of: object, named: key.name, part, in: self, first: first.take())
            return { try await download.next() }
        }
        return BlobContent(size: size, range: part, body: .stream(stream))
    }

    /// Which part of how many bytes an answer has; must be the one that was asked for.
    static func part(of answer: S3Answer, asked: ByteRange?) throws -> (part: ByteRange, size: Int64) {
        guard answer.status == 206 else {
            guard let size = answer.contentLength else { throw S3Failure.unbelievable("an object without size") }
            if let asked, asked.clamped(to: 0..<size) != 0..<size {
                throw S3Failure.unbelievable("a whole object where a part was asked for")
            }
            return (0..<size, size)
        }
        guard let asked, let (part, size) = answer.contentRange, asked.clamped(to: 0..<size) == part else {
            throw S3Failure.unbelievable("another part than was asked for")
        }
        return (part, size)
    }
}

/// The answer that a blob was opened with, for the first who reads it.
private final class FirstAnswer: Sendable {
    private let held: Mutex<S3Answer?>

    init(_ answer: S3Answer) {
        held = Mutex(answer)
    }

    func take() -> S3Answer? { held.withLock { $0.take() } }
}
