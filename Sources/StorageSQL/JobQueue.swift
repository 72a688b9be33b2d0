import Synchronization

/// Jobs that wait for a bounded number of workers, first come, first served.
///
/// A worker is started by who gets ``Admission/starts`` and goes on, turn by turn, until ``retires()`` says so: there is always a
/// worker while a job waits.
package final class JobQueue<Job: Sendable>: Sendable {
    /// What became of a job.
    package enum Admission {
        /// A worker is going to take it.
        case waits
        /// A worker is to be started, which is going to take it.
        case starts
        /// It was not taken.
        case refused(SQLError)
    }

    private struct State {
        var incoming: [Job] = []
        /// In reverse order, so that the next one is the last: constant time for each job, however many wait.
        var outgoing: [Job] = []
        var workers = 0
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []

        var count: Int { incoming.count + outgoing.count }

        mutating func next() -> Job? {
            if outgoing.isEmpty, !incoming.isEmpty {
                outgoing = incoming.reversed()
                incoming.removeAll(keepingCapacity: true)
            }
            return outgoing.popLast()
        }
    }

    private let workers: Int
    private let limit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - workers: how many workers there may be at a time
    ///   - limit: how many jobs may wait
    package init(workers: Int, limit: Int) {
        self.workers = workers
        self.limit = limit
    }

    /// How many jobs wait.
    package var waiting: Int { state.withLock { $0.count } }

    /// Puts a job at the end.
    package func admit(_ job: Job) -> Admission {
        state.withLock { state in
            guard !state.isClosed else { return .refused(SQLError(.unreachable, "the database is closed")) }
            guard state.count < limit else { return .refused(SQLError(.busy, "\(limit) others are waiting")) }
            state.incoming.append(job)
            guard state.workers < workers else { return .waits }
            state.workers += 1
            return .starts
        }
    }

    /// Takes the next job.
    package func next() -> Job? {
        state.withLock { $0.next() }
    }

    /// Takes the next jobs, at most that many.
    package func next(_ limit: Int) -> [Job] {
        state.withLock { state in
            var jobs: [Job] = []
            jobs.reserveCapacity(min(limit, state.count))
            while jobs.count < limit, let job = state.next() {
                jobs.append(job)
            }
            return jobs
        }
    }

    /// Ends the worker that asks, if no job is waiting.
    package func retires() -> Bool {
        let closers = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard state.count == 0 else { return nil }
            state.workers -= 1
            guard state.workers == 0 else { return [] }
            defer { state.closers = [] }
            return state.closers
        }
        guard let closers else { return false }
        for closer in closers { closer.resume() }
        return true
    }

    /// Refuses what comes from now on and returns when everything that waited is done.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                guard state.workers > 0 else { return true }
                state.closers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}
