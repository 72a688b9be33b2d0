import NIOCore
import Synchronization

/// The blobs that are on their way into a cache on disk, and the one place that lets new ones begin.
final class HotFills: Sendable {
    /// Where the bytes of a blob on its way can be read.
    enum Source: Sendable {
        /// All of them are in memory.
        case bytes(ByteBuffer)
        /// They come into a file.
        case file(HotFill)
    }

    /// A blob that is to be written.
    struct Job: Sendable {
        let key: BlobKey
        let size: Int64
        let source: Source
        /// Where its bytes come from.
        let body: ByteStream
        /// The blobs that have to go first.
        let evicted: [BlobKey]
        fileprivate let number: Int
    }

    /// So many small blobs may be on their way: each holds its bytes in memory.
    private static let smallLimit = 64
    /// So many large ones: each holds two batches in memory and reads from the store.
    private static let largeLimit = 8

    private struct State {
        var index: HotIndex
        var jobs: AsyncStream<Job>.Continuation?
        var hasLoaded = false
        /// The jobs that are not over, by number.
        var running: [Int: (key: BlobKey, source: Source)] = [:]
        /// Those of them that may be read from.
        var readable: [BlobKey: Int] = [:]
        var large = 0
        var number = 0

        var small: Int { running.count - large }
    }

    private let state: Mutex<State>

    init(capacity: Int64) {
        state = Mutex(State(index: HotIndex(capacity: capacity)))
    }

    /// Reads or changes what is known of the blobs that are there.
    func index<T: Sendable>(_ body: (inout HotIndex) -> T) -> T {
        state.withLock { body(&$0.index) }
    }

    /// Whether it is known which blobs are there.
    var hasLoaded: Bool { state.withLock { $0.hasLoaded } }

    /// How many blobs are on their way.
    var running: Int { state.withLock { $0.running.count } }

    /// Notes all blobs that were found at the start; returns those that have to go.
    func load(_ found: [(key: BlobKey, size: Int64)]) -> [BlobKey] {
        state.withLock { state in
            state.hasLoaded = true
            return state.index.load(found)
        }
    }

    /// Where the bytes of a blob on its way can be read; nil when it is on none.
    func source(of key: BlobKey) -> Source? {
        state.withLock { state in state.readable[key].flatMap { state.running[$0]?.source } }
    }

    /// Begins to hand out jobs; nil when somebody gets them already.
    func open() -> AsyncStream<Job>? {
        let (stream, continuation) = AsyncStream.makeStream(of: Job.self)
        return state.withLock { state in
            guard state.jobs == nil else { return nil }
            state.jobs = continuation
            return stream
        }
    }

    /// Ends the handing out: what is on its way and was not written yet will not come.
    func close() {
        let (jobs, left) = state.withLock { state in
            defer {
                for (key, _) in state.running.values { state.index.release(key) }
                state.running.removeAll()
                state.readable.removeAll()
                state.large = 0
                state.jobs = nil
            }
            return (state.jobs, state.running.values.map(\.source))
        }
        jobs?.finish()
        for case .file(let fill) in left { fill.fail() }
    }

    /// Has a blob written, if there is room for it and somebody to do it.
    ///
    /// - Returns: Where it can be read meanwhile; nil when it is not going to be written, and the body is the caller's.
    func begin(_ key: BlobKey, size: Int64, _ body: ByteStream, inMemory bytes: ByteBuffer? = nil) -> Source? {
        state.withLock { state in
            guard let jobs = state.jobs, state.hasLoaded, state.readable[key] == nil,
                bytes == nil ? state.large < Self.largeLimit : state.small < Self.smallLimit,
                let evicted = state.index.reserve(key, size: size)
            else { return nil }
            let source = bytes.map { Source.bytes($0) } ?? .file(HotFill(size: size))
            if bytes == nil { state.large += 1 }
            state.number += 1
            state.running[state.number] = (key, source)
            state.readable[key] = state.number
            jobs.yield(
                Job(key: key, size: size, source: source, body: body, evicted: evicted, number: state.number))
            return source
        }
    }

    /// Notes that a job is over.
    ///
    /// - Parameter isThere: Whether the blob lies in the cache now.
    /// - Returns: Whether it may stay.
    func end(_ job: Job, isThere: Bool) -> Bool {
        let stays = state.withLock { state in
            state.running[job.number] = nil
            if case .file = job.source { state.large -= 1 }
            if state.readable[job.key] == job.number { state.readable[job.key] = nil }
            guard isThere else {
                state.index.release(job.key)
                return false
            }
            return state.index.complete(job.key, size: job.size)
        }
        if !isThere, case .file(let fill) = job.source { fill.fail() }
        return stays
    }

    /// Notes that a blob is to be forgotten, whether it is there or on its way: those who read it may go on.
    func drop(_ key: BlobKey) {
        state.withLock { state in
            state.readable[key] = nil
            state.index.drop(key)
        }
    }
}
