public import NIOCore

/// Bytes on their way, in chunks, never whole in memory.
///
/// A stream is pulled: the producer makes the next chunk when it is asked for it, which is all the backpressure there is.
/// A stream that ends early must throw; the end of the sequence always means that the body is complete.
public struct ByteStream: AsyncSequence, Sendable {
    /// A chunk of any size above zero.
    public typealias Element = ByteBuffer

    /// The number of bytes to come, where it is known before the first of them.
    public let length: Int64?
    /// Whether iterating again gives the same bytes again, so that a failed transfer may be repeated.
    public let isReplayable: Bool

    private let start: @Sendable () -> Iterator.Pull
    /// Judges the digest of all bytes once they have come.
    private(set) var confirm: (@Sendable (BlobDigest) throws -> Void)?

    /// Makes a stream of a function that begins a new pass and returns the function that yields chunk after chunk.
    public init(length: Int64?, isReplayable: Bool, start: @escaping @Sendable () -> Iterator.Pull) {
        self.length = length
        self.isReplayable = isReplayable
        self.start = start
    }

    /// A stream of bytes that are in memory already.
    public init(_ buffer: ByteBuffer) {
        self.init(length: Int64(buffer.readableBytes), isReplayable: true) {
            var rest: ByteBuffer? = buffer.readableBytes > 0 ? buffer : nil
            return {
                defer { rest = nil }
                return rest
            }
        }
    }

    /// A stream over any sequence of chunks, passed through as they come.
    ///
    /// - Parameters:
    ///   - chunks: The bytes; chunks without any are left out.
    ///   - length: The number of bytes, where it is known. A store refuses a body that turns out to have another one.
    ///   - isReplayable: Whether the sequence can be iterated more than once.
    public init<Chunks: AsyncSequence & Sendable>(_ chunks: Chunks, length: Int64?, isReplayable: Bool)
    where Chunks.Element == ByteBuffer {
        self.init(length: length, isReplayable: isReplayable) {
            var iterator = chunks.makeAsyncIterator()
            return { try await iterator.next(isolation: #isolation) }
        }
    }

    /// The same bytes for a sender who named their digest: what stores them asks before they can become visible.
    ///
    /// - Parameter confirm: Called with the digest of all bytes after the last of them; throws when it is not the right one.
    public func confirming(_ confirm: @escaping @Sendable (BlobDigest) throws -> Void) -> ByteStream {
        var stream = self
        stream.confirm = confirm
        return stream
    }

    /// The same bytes for the same receiver, with somebody who is told how many came in every chunk.
    public func observed(by observer: @escaping @Sendable (_ bytes: Int) -> Void) -> ByteStream {
        let whole = self
        var stream = ByteStream(length: length, isReplayable: isReplayable) {
            var chunks = whole.makeAsyncIterator()
            return {
                guard let chunk = try await chunks.next() else { return nil }
                observer(chunk.readableBytes)
                return chunk
            }
        }
        stream.confirm = confirm
        return stream
    }

    /// Begins a pass over the bytes.
    public func makeAsyncIterator() -> Iterator {
        Iterator(pull: start())
    }

    /// One pass over the bytes; belongs to one task.
    public struct Iterator: AsyncIteratorProtocol {
        /// Yields the next chunk, nil after the last.
        public typealias Pull = () async throws -> ByteBuffer?

        private let pull: Pull

        init(pull: @escaping Pull) {
            self.pull = pull
        }

        /// The next chunk that has bytes; nil at the end.
        public mutating func next() async throws -> ByteBuffer? {
            while let chunk = try await pull() {
                if chunk.readableBytes > 0 { return chunk }
            }
            return nil
        }
    }

    /// Reads the whole body into memory.
    ///
    /// - Throws: ``StorageError/Code/tooLarge`` as soon as there are more than `limit` bytes.
    public func collect(upTo limit: Int) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        for try await chunk in self {
            guard whole.readableBytes <= limit - Swift.min(limit, chunk.readableBytes),
                whole.readableBytes + chunk.readableBytes <= limit
            else {
                throw StorageError(.tooLarge, "The body is larger than \(limit) bytes.")
            }
            var chunk = chunk
            whole.writeBuffer(&chunk)
        }
        return whole
    }
}
