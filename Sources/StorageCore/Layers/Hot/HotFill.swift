import Synchronization

/// A blob on its way into a cache on disk, to be read by any number of readers as it comes.
final class HotFill: Sendable {
    /// What a reader may read.
    enum Progress: Sendable {
        /// The file has this many bytes.
        case written(OpenFile, Int64)
        /// There will be no more than a reader has got already: they are to be had elsewhere.
        case failed
    }

    private struct State {
        var file: OpenFile?
        var written: Int64 = 0
        var hasFailed = false
        var tickets = 0
        var waiting: [Int: (position: Int64, continuation: CheckedContinuation<Progress, any Error>)] = [:]

        /// What somebody at a position may read; nil when that has to be waited for.
        func progress(beyond position: Int64) -> Progress? {
            if let file, written > position { return .written(file, written) }
            return hasFailed ? .failed : nil
        }
    }

    /// The number of bytes that will have come in the end.
    let size: Int64
    private let state = Mutex(State())

    init(size: Int64) {
        self.size = size
    }

    /// How many readers wait for bytes.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Notes that the file has this many bytes.
    func advance(to written: Int64, in file: OpenFile) {
        wake { state in
            state.file = file
            state.written = max(state.written, written)
        }
    }

    /// Notes that no more bytes will come; without an effect when all of them have.
    func fail() {
        wake { $0.hasFailed = true }
    }

    /// Waits until there are more bytes than a reader has got.
    ///
    /// - Throws: `CancellationError` in a task that is cancelled.
    func wait(beyond position: Int64) async throws -> Progress {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Progress, any Error>? = state.withLock { state in
                    if let progress = state.progress(beyond: position) { return .success(progress) }
                    // The handler below has run already if the task was cancelled before this.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiting[ticket] = (position, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiting = state.withLock { $0.waiting.removeValue(forKey: ticket) }
            waiting?.continuation.resume(throwing: CancellationError())
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> [(CheckedContinuation<Progress, any Error>, Progress)] in
            change(&state)
            var ready: [(CheckedContinuation<Progress, any Error>, Progress)] = []
            for (ticket, waiting) in state.waiting {
                guard let progress = state.progress(beyond: waiting.position) else { continue }
                ready.append((waiting.continuation, progress))
                state.waiting[ticket] = nil
            }
            return ready
        }
        for (continuation, progress) in ready { continuation.resume(returning: progress) }
    }
}
