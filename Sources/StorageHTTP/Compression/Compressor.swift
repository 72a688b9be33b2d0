import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore
import Synchronization

/// Compresses contents on threads of its own, and keeps small results, so that what many ask for is compressed once.
///
/// Contents on their way take about 48 MiB at most: 128 of them 256 KiB each, and eight 2 MiB more, whose results are collected to be kept.
final class Compressor: Sendable {
    /// The right to have a compressed content on its way; given back with the last reference.
    typealias Permit = Places.Place

    /// Contents below this many bytes are not worth the time.
    static let leastBytes: Int64 = 1_024
    /// Up to this many bytes a content is compressed thoroughly, because the result is likely to be kept.
    private static let mostKept: Int64 = 8 << 20
    /// How many contents may be on their way at once.
    private static let mostAtOnce = 128
    /// Of how many of them the results are collected.
    private static let mostCollected = 8
    /// What a kept result takes beside its bytes.
    private static let overhead = 512

    private let pool: BlockingPool
    private let permits = Places(mostAtOnce)
    private let collections = Places(mostCollected)
    private let results: Mutex<LRUCache<BlobKey, ByteBuffer>>
    private let largestResult: Int

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: How many contents are compressed in the same moment.
    ///   - cache: What the results that are kept may take of memory, in bytes; none is larger than an eighth of it.
    init(threads: Int = 2, cache: Int = 16 << 20) {
        pool = BlockingPool(threads: threads, queue: Self.mostAtOnce)
        results = Mutex(LRUCache(capacity: cache))
        largestResult = cache / 8
    }

    /// Admits one more content, unless so many are on their way that their memory counts; then it is to be sent as it is.
    func permit() -> Permit? {
        permits.take()
    }

    /// The compressed bytes of a blob, where they were kept.
    func result(of key: BlobKey) -> ByteBuffer? {
        results.withLock { $0.value(for: key) }
    }

    /// Compresses a content that is in memory.
    func compress(_ bytes: ByteBuffer, _ permit: Permit) async throws -> ByteBuffer {
        let content = try CompressedContent(level: Self.level(for: Int64(bytes.readableBytes)), on: pool, permit)
        var result = try await content.next(bytes)
        result.writeImmutableBuffer(try await content.last())
        return result
    }

    /// Compresses a blob that is in memory, and keeps the result.
    func compress(_ bytes: ByteBuffer, of key: BlobKey, _ permit: Permit) async throws -> ByteBuffer {
        let result = try await compress(bytes, permit)
        keep(result, of: key)
        return result
    }

    /// A blob of so many bytes, compressed on its way; the result is kept where it is small.
    func compress(_ stream: ByteStream, of key: BlobKey, size: Int64, _ permit: Permit) -> ByteStream {
        ByteStream(length: nil, isReplayable: false) {
            var chunks = stream.makeAsyncIterator()
            var content: CompressedContent?
            var collected = self.collection(forSize: size)
            var isEnded = false
            return {
                guard !isEnded else { return nil }
                let compressed = try content ?? CompressedContent(level: Self.level(for: size), on: self.pool, permit)
                content = compressed
                while let chunk = try await chunks.next() {
                    let ready = try await compressed.next(chunk)
                    collected.add(ready)
                    if ready.readableBytes > 0 { return ready }
                }
                isEnded = true
                let rest = try await compressed.last()
                collected.add(rest)
                if let whole = collected.take() { self.keep(whole, of: key) }
                return rest
            }
        }
    }

    /// A content of unknown length that is compressed as it is written.
    func compress(_ write: @escaping Answer.Write, _ permit: Permit) -> Answer.Write {
        { [pool] writer in
            let content = try CompressedContent(level: Self.fastest, on: pool, permit)
            var compressing: any ResponseBodyWriter = CompressingWriter(writer, content)
            try await write(&compressing)
            try await writer.write(try await content.last())
        }
    }

    /// Collects the result of a content that is likely to be kept, unless as many are collected already as there is memory for.
    private func collection(forSize size: Int64) -> CollectedResult {
        CollectedResult(largest: largestResult, size <= Self.mostKept ? collections.take() : nil)
    }

    private func keep(_ result: ByteBuffer, of key: BlobKey) {
        guard result.readableBytes <= largestResult else { return }
        // A copy of its own: what was collected has room to spare.
        let copy = ByteBuffer(bytes: result.readableBytesView)
        results.withLock { $0.insert(copy, for: key, weight: copy.readableBytes + Self.overhead) }
    }

    private static let fastest: CInt = 1

    private static func level(for size: Int64) -> CInt {
        size <= mostKept ? 6 : fastest
    }
}

/// The result of a content on its way, as long as it is small enough to be kept.
private struct CollectedResult {
    private let largest: Int
    private var bytes = ByteBuffer()
    private var place: Places.Place?

    /// - Parameter place: Nil to collect nothing.
    init(largest: Int, _ place: Places.Place?) {
        self.largest = largest
        self.place = place
    }

    mutating func add(_ more: ByteBuffer) {
        guard place != nil else { return }
        if bytes.readableBytes + more.readableBytes <= largest {
            bytes.writeImmutableBuffer(more)
        } else {
            _ = take()
        }
    }

    /// The whole result, and the place of it back; nil where it is too large, or was not collected.
    mutating func take() -> ByteBuffer? {
        guard place != nil else { return nil }
        defer { (bytes, place) = (ByteBuffer(), nil) }
        return bytes
    }
}

/// One content on its way through zlib, on threads that may be busy with it.
final class CompressedContent: Sendable {
    private let deflater: Deflater
    private let pool: BlockingPool
    private let permit: Compressor.Permit

    init(level: CInt, on pool: BlockingPool, _ permit: Compressor.Permit) throws {
        deflater = try Deflater(level: level, form: .gzip)
        self.pool = pool
        self.permit = permit
    }

    /// Takes the next bytes in, and returns what is ready of the result.
    func next(_ chunk: ByteBuffer) async throws -> ByteBuffer {
        try await pool.runRegardless { [deflater] in try deflater.compress(chunk, isLast: false) }
    }

    /// The end of the result.
    func last() async throws -> ByteBuffer {
        try await pool.runRegardless { [deflater] in try deflater.compress(ByteBuffer(), isLast: true) }
    }
}

/// Compresses what is written before it goes on.
private struct CompressingWriter: ResponseBodyWriter {
    private var writer: any ResponseBodyWriter
    private let content: CompressedContent

    init(_ writer: any ResponseBodyWriter, _ content: CompressedContent) {
        self.writer = writer
        self.content = content
    }

    @concurrent mutating func write(_ buffer: ByteBuffer) async throws {
        let ready = try await content.next(buffer)
        if ready.readableBytes > 0 { try await writer.write(ready) }
    }

    @concurrent consuming func finish(_ trailers: HTTPFields?) async throws {
        // The end of the content comes from who began it.
        try await writer.finish(trailers)
    }
}
