import HTTPTypes
import NIOCore
import Synchronization

/// The body of one request on its way from the event loop to the one task that reads it.
///
/// The loop side puts in what arrives and asks ``wantsMore()`` before it reads on; the task side takes out. Neither
/// ever waits for the other with the lock held. What was received before a failure is delivered before the failure is
/// thrown.
final class RequestBodyStream: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    struct AsyncIterator: AsyncIteratorProtocol {
        let stream: RequestBodyStream

        mutating func next() async throws -> ByteBuffer? {
            try await stream.next()
        }
    }

    private enum Ending {
        case complete
        case failed(RequestBodyError)
    }

    private struct State {
        var chunks = CircularBuffer<ByteBuffer>(initialCapacity: 4)
        var queuedBytes = 0
        var ending: Ending?
        var trailers: HTTPFields = [:]
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
        var waitingSince = NIODeadline.now()
        var wasAsked = false
        var isReadingPaused = false
        var rate: BodyRate
    }

    /// What the reading task has to do after a look at the state.
    private enum Step {
        case deliver(Result<ByteBuffer?, any Error>, wakesConnection: Bool)
        case wait(wakesConnection: Bool)
    }

    private let state: Mutex<State>
    private let prefetchBytes: Int
    private let queueBytes: Int
    private let announcesFirstAsk: Bool
    private let wakeConnection: @Sendable () -> Void

    /// - Parameters:
    ///   - limits: The sizes and the rate to keep to.
    ///   - announcesFirstAsk: Whether the connection wants to know when the body is asked for the first time.
    ///   - wakeConnection: Called, on any thread, for that and when a pause of reading is over.
    init(limits: ConnectionLimits, announcesFirstAsk: Bool, wakeConnection: @escaping @Sendable () -> Void) {
        self.state = Mutex(State(rate: BodyRate(limits: limits)))
        self.prefetchBytes = Swift.min(limits.quietDiscardBytes, limits.receiveBufferBytes)
        self.queueBytes = limits.receiveBufferBytes
        self.announcesFirstAsk = announcesFirstAsk
        self.wakeConnection = wakeConnection
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: self)
    }

    // MARK: The event loop's side

    /// Adds bytes that arrived.
    func receive(_ chunk: ByteBuffer) {
        let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.ending == nil else { return nil }
            if let reader = state.reader {
                state.rate.waited(.now() - state.waitingSince)
                state.rate.received(bytes: chunk.readableBytes)
                state.reader = nil
                return reader
            }
            state.rate.received(bytes: chunk.readableBytes)
            state.queuedBytes += chunk.readableBytes
            state.chunks.append(chunk)
            return nil
        }
        reader?.resume(returning: chunk)
    }

    /// Marks the body as complete.
    func finish(trailers: HTTPFields = [:]) {
        end(.complete, trailers)
    }

    /// Makes the reader throw once it has taken what is queued. Only the first ending counts.
    func fail(_ error: RequestBodyError) {
        end(.failed(error))
    }

    /// Drops what is queued when nobody is going to read it any more.
    func abandon() {
        state.withLock { state in
            state.chunks.removeAll()
            state.queuedBytes = 0
        }
        end(.failed(.endedEarly))
    }

    /// Whether more should be read from the socket now. After `false`, the connection is woken when the answer changes.
    func wantsMore() -> Bool {
        state.withLock { state in
            let wants = state.queuedBytes < (state.wasAsked ? queueBytes : prefetchBytes)
            state.isReadingPaused = !wants
            return wants
        }
    }

    /// When the present wait of the reader makes the body too slow; `nil` while the client keeps nobody waiting.
    var deadline: NIODeadline? {
        state.withLock { state in
            state.reader == nil ? nil : state.rate.deadline(waitingSince: state.waitingSince)
        }
    }

    private func end(_ ending: Ending, _ trailers: HTTPFields = [:]) {
        let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.ending == nil else { return nil }
            state.ending = ending
            state.trailers = trailers
            let reader = state.reader
            state.reader = nil
            return reader
        }
        switch ending {
        case .complete: reader?.resume(returning: nil)
        case .failed(let error): reader?.resume(throwing: error)
        }
    }

    // MARK: The reading task's side

    /// What came behind the last byte; to be asked for when the body was read to its end.
    var trailers: HTTPFields {
        state.withLock { $0.trailers }
    }

    private func next() async throws -> ByteBuffer? {
        switch state.withLock({ take(from: &$0) }) {
        case .deliver(let result, let wakes):
            if wakes { wakeConnection() }
            return try result.get()
        case .wait(let wakes):
            if wakes { wakeConnection() }
            return try await waitForMore()
        }
    }

    private func take(from state: inout State) -> Step {
        var wakes = announcesFirstAsk && !state.wasAsked
        state.wasAsked = true
        if let chunk = state.chunks.popFirst() {
            state.queuedBytes -= chunk.readableBytes
            if state.isReadingPaused, state.queuedBytes <= queueBytes / 2 {
                state.isReadingPaused = false
                wakes = true
            }
            return .deliver(.success(chunk), wakesConnection: wakes)
        }
        switch state.ending {
        case .complete:
            return .deliver(.success(nil), wakesConnection: false)
        case .failed(let error):
            return .deliver(.failure(error), wakesConnection: false)
        case nil:
            if state.isReadingPaused {
                state.isReadingPaused = false
                wakes = true
            }
            return .wait(wakesConnection: wakes)
        }
    }

    private func waitForMore() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { suspend(continuation, in: &$0) }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }

    /// Parks the reader unless something came in the meantime.
    private func suspend(
        _ continuation: CheckedContinuation<ByteBuffer?, any Error>,
        in state: inout State
    ) -> Result<ByteBuffer?, any Error>? {
        if Task.isCancelled { return .failure(CancellationError()) }
        guard state.reader == nil else { return .failure(RequestBodyError.concurrentReaders) }
        if let chunk = state.chunks.popFirst() {
            state.queuedBytes -= chunk.readableBytes
            return .success(chunk)
        }
        switch state.ending {
        case .complete: return .success(nil)
        case .failed(let error): return .failure(error)
        case nil: break
        }
        state.reader = continuation
        state.waitingSince = .now()
        return nil
    }
}
