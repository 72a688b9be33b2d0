import NIOCore
import StorageCore

/// One pass over a part of an object: when the body breaks, the rest of it is asked for, and only of the same object.
///
/// Asking for the rest is a call of its own where the answer before has brought something: the service lives, and many downloads that
/// break in the same moment all go on. Once, and once more for each MiB; any other time it is a repetition as of any other call, within
/// the budget of all. Answers that bring less than 64 KiB, ``/StorageCore/RetryPolicy/maximumAttempts`` of them in a row, end the download.
struct S3Download {
    private let object: S3Object
    private let name: String
    private let store: S3BlobStore
    private let start: Int64
    private let end: Int64
    private var position: Int64
    /// Where the latest answer began.
    private var opening: Int64
    /// The answers in a row that brought next to nothing.
    private var failures = 0
    /// How often the rest was asked for by a call of its own.
    private var resumptions: Int64 = 0
    private var chunks: ByteStream.Iterator?
    /// When the receiver got its latest chunk.
    private var latest = ContinuousClock.now

    /// - Parameter first: An answer that begins with the part's first byte, if there is one.
    init(of object: S3Object, named name: String, _ part: ByteRange, in store: S3BlobStore, first: S3Answer?) {
        self.object = object
        self.name = name
        self.store = store
        start = part.lowerBound
        end = part.upperBound
        position = start
        opening = start
        chunks = first?.chunks
    }

    /// The next bytes; nil behind the last.
    mutating func next() async throws -> ByteBuffer? {
        // A receiver who was slow is no failure of the service, which may well have closed the connection meanwhile. That goes for the
        // first failure only: for the later ones nobody but the service took the time.
        var isOurs = ContinuousClock.now - latest > store.configuration.idleTimeout / 3
        while position < end {
            do {
                guard let chunk = try await receive() else { throw S3Failure.unbelievable("a body that is too short") }
                position += Int64(chunk.readableBytes)
                guard position <= end else { throw S3Failure.unbelievable("a body that is too long") }
                latest = ContinuousClock.now
                return chunk
            } catch {
                let failure = S3Failure.transport(error)
                if position - opening >= .smallBlob { failures = 0 }
                if !isOurs { failures += 1 }
                // Answers whose bodies never come are not asked for without end, however many other calls succeed.
                guard let failure = failure as? StorageError, failure.isTransient, position < end,
                    failures < max(2, store.configuration.retryPolicy.maximumAttempts)
                else { throw failure }
                let isRepetition = !isOurs && !isResumption()
                isOurs = false
                chunks = nil
                chunks = try await reopen(after: isRepetition ? failure : nil).chunks
            }
        }
        // The end of the body frees its connection for the next.
        if chunks != nil { _ = try? await chunks?.next() }
        chunks = nil
        return nil
    }

    /// Whether what broke had come far enough for the rest to be a call of its own; counts it then.
    private mutating func isResumption() -> Bool {
        guard position > opening, resumptions <= (position - start) >> 20 else { return false }
        resumptions += 1
        return true
    }

    private mutating func receive() async throws -> ByteBuffer? {
        if chunks == nil { chunks = try await reopen(after: nil).chunks }
        return try await chunks?.next()
    }

    /// Asks for the rest.
    ///
    /// - Parameter failure: What broke the body, where that is to count as the first attempt.
    private mutating func reopen(after failure: StorageError?) async throws -> S3Answer {
        opening = position
        let rest = position..<end
        let (store, name, object) = (store, name, object)
        return try await store.caller.call("read", after: failure) { _ in
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
