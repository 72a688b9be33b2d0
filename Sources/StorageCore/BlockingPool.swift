import NIOPosix
import Synchronization

/// A fixed number of threads for calls that block: disk, database, scrypt.
///
/// # Behavior
///
/// - Neither an event loop nor a thread of the cooperative pool ever runs the work.
/// - At most `queue` jobs wait for a thread; one more is refused at once, so that overload is an error and never a pile of memory.
/// - A job that was accepted runs to its end, also when the task that waits for it is cancelled.
package final class BlockingPool: Sendable {
    private let threads: NIOThreadPool
    private let capacity: Int
    private let outstanding = Atomic<Int>(0)

    /// Starts the threads.
    ///
    /// - Parameter queue: How many jobs may wait while every thread is busy.
    package init(threads: Int, queue: Int) {
        let count = max(1, threads)
        self.threads = NIOThreadPool(numberOfThreads: count)
        capacity = count + max(0, queue)
        self.threads.start()
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    /// Runs a job on one of the threads and returns what it returned.
    ///
    /// - Throws: what the job threw; ``StorageError/Code/unavailable`` when the queue is full or the pool is shut down.
    package func run<T: Sendable>(_ job: @escaping @Sendable () throws -> T) async throws -> T {
        guard outstanding.add(1, ordering: .relaxed).newValue <= capacity else {
            outstanding.subtract(1, ordering: .relaxed)
            throw StorageError(.unavailable, "The server is busy. Try again a little later.", isTransient: true)
        }
        return try await submit(job)
    }

    /// Runs a job that ends work already begun: accepted on a full queue as well.
    ///
    /// The caller must see to it that there are only as many of them as there is admitted work.
    package func runRegardless<T: Sendable>(_ job: @escaping @Sendable () throws -> T) async throws -> T {
        outstanding.add(1, ordering: .relaxed)
        return try await submit(job)
    }

    /// Lets running jobs end and stops the threads; jobs that still wait, and all later ones, are refused.
    package func shutdown() async {
        await withCheckedContinuation { continuation in
            threads.shutdownGracefully { _ in continuation.resume() }
        }
    }

    private func submit<T: Sendable>(_ job: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            threads.submit { state in
                let result: Result<T, any Error>
                switch state {
                case .active: result = Result(catching: job)
                case .cancelled: result = .failure(Self.closed)
                }
                self.outstanding.subtract(1, ordering: .relaxed)
                continuation.resume(with: result)
            }
        }
    }

    private static let closed = StorageError(.unavailable, "The server is shutting down.", isTransient: true)
}
