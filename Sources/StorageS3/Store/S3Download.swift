import NIOCore
import StorageCore

/// One pass over a part of an object: when the body breaks, the rest of it is asked for, and only of the same object.
struct S3Download {
    private let object: S3Object
    private let name: String
    private let store: S3BlobStore
    private let end: Int64
    private var position: Int64
    private var chunks: ByteStream.Iterator?
    /// When the receiver got its latest chunk.
    private var latest = ContinuousClock.now

    /// - Parameter first: An answer that begins with the part's first byte, if there is one.
    init(of object: S3Object, named name: String, _ part: ByteRange, in store: S3BlobStore, first: S3Answer?) {
        self.object = object
        self.name = name
        self.store = store
        position = part.lowerBound
        end = part.upperBound
        chunks = first?.chunks
    }

    /// The next bytes; nil behind the last.
    mutating func next() async throws -> ByteBuffer? {
        // A receiver who was slow is no failure of the service, which may well have closed the connection meanwhile. That goes for the
        // first failure only: for the later ones nobody but the service took the time.
        var isOurs = ContinuousClock.now - latest > store.configuration.idleTimeout / 3
        var failures = 0
        while position < end {
            do {
                guard let chunk = try await receive() else { throw S3Failure.unbelievable("a body that is too short") }
                position += Int64(chunk.readableBytes)
                guard position <= end else { throw S3Failure.unbelievable("a body that is too long") }
                latest = ContinuousClock.now
                return chunk
            } catch {
                let failure = S3Failure.transport(error)
                failures += 1
                // Answers whose bodies never come are not asked for without end, however many other calls succeed.
                guard let failure = failure as? StorageError, failure.isTransient, position < end,
                    failures < max(2, store.configuration.retryPolicy.maximumAttempts)
                else { throw failure }
                let cause = isOurs ? nil : failure
                isOurs = false
                chunks = nil
                chunks = try await reopen(after: cause).chunks
            }
        }
        // The end of the body frees its connection for the next.
        if chunks != nil { _ = try? await chunks?.next() }
        chunks = nil
        return nil
    }

    private mutating func receive() async throws -> ByteBuffer? {
        if chunks == nil { chunks = try await reopen(after: nil).chunks }
        return try await chunks?.next()
    }

    /// Asks for the rest.
    ///
    /// - Parameter failure: What broke the body: it counts as the first attempt, and is repeated as any other call is.
    private func reopen(after failure: StorageError?) async throws -> S3Answer {
        let rest = position..<end
        return try await store.caller.call("read") { attempt in
            if attempt == 1, let failure { throw failure }
            guard let answer = try await store.bucket.get(name, range: rest, ifMatch: object.entityTag),
                answer.status == 206 || answer.status == 200
            else {
                throw StorageError(.unavailable, "The bytes were taken away while they were read.")
            }
            let (part, size) = try S3BlobStore.part(of: answer, asked: rest)
            guard part == rest, size == object.size, answer.entityTag == object.entityTag else {
                throw S3Failure.unbelievable("a part of another object")
            }
            return answer
        }
    }
}
