import Synchronization

/// Does work once that several callers want at the same moment: the first does it, the others wait for what comes of it.
///
/// The work belongs to the task of the one who does it. When that task is cancelled, one of those who wait does it instead.
final class SharedWork<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private enum Turn {
        /// It is this caller's turn to do the work.
        case lead
        /// Somebody else did it.
        case done(Result<Value, any Error>)
    }

    private struct Waiting {
        let ticket: Int
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var tickets = 0
        /// Those who wait, by what is being done.
        var running: [Key: [Waiting]] = [:]
    }

    private let state = Mutex(State())

    /// How many wait for a piece of work.
    func waiting(for key: Key) -> Int {
        state.withLock { $0.running[key]?.count ?? 0 }
    }

    /// What comes of the work: done here, or by somebody who has begun already.
    ///
    /// - Throws: what the work threw, here or there; an error of a task that is cancelled stays there.
    func value(for key: Key, _ work: () async throws -> Value) async throws -> Value {
        switch await turn(for: key) {
        case .done(let result): return try result.get()
        case .lead:
            let result: Result<Value, any Error>
            do {
                result = .success(try await work())
            } catch {
                guard !Task.isCancelled, !(error is CancellationError) else {
                    passOn(key)
                    throw error
                }
                result = .failure(error)
            }
            end(key, result)
            return try result.get()
        }
    }

    private func turn(for key: Key) async -> Turn {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn: Turn? = state.withLock { state in
                    guard state.running[key] != nil else {
                        state.running[key] = []
                        return .lead
                    }
                    // The handler below has run already if the task was cancelled before this.
                    guard !Task.isCancelled else { return .done(.failure(CancellationError())) }
                    state.running[key]?.append(Waiting(ticket: ticket, continuation: continuation))
                    return nil
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            let waiting = state.withLock { state -> Waiting? in
                guard let index = state.running[key]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return state.running[key]?.remove(at: index)
            }
            waiting?.continuation.resume(returning: .done(.failure(CancellationError())))
        }
    }

    private func passOn(_ key: Key) {
        let next = state.withLock { state -> Waiting? in
            guard state.running[key]?.isEmpty == false else {
                state.running[key] = nil
                return nil
            }
            return state.running[key]?.removeFirst()
        }
        next?.continuation.resume(returning: .lead)
    }

    private func end(_ key: Key, _ result: Result<Value, any Error>) {
        let waiting = state.withLock { $0.running.removeValue(forKey: key) ?? [] }
        for one in waiting { one.continuation.resume(returning: .done(result)) }
    }
}
