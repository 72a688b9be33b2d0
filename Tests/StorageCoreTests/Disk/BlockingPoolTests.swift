import Dispatch
import Testing

@testable import StorageCore

@Suite("BlockingPool")
struct BlockingPoolTests {
    struct Refusal: Error {}

    @Test("returns what the job returns and throws what it throws")
    func results() async throws {
        let pool = BlockingPool(threads: 1, queue: 1)
        #expect(try await pool.run { 42 } == 42)
        await #expect(throws: Refusal.self) { try await pool.run { throw Refusal() } }
        await pool.shutdown()
    }

    @Test("refuses the job that finds the queue full, and only that one")
    func fullQueue() async throws {
        let pool = BlockingPool(threads: 1, queue: 2)
        let gate = DispatchSemaphore(value: 0)
        let started = AsyncStream<Void>.makeStream()
        let refused = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await pool.run {
                    started.continuation.yield()
                    gate.wait()
                }
            }
            for await _ in started.stream { break }
            // One runs. Of five more two may wait; nothing moves before the gate opens.
            for _ in 0..<5 {
                group.addTask {
                    do {
                        try await pool.run {}
                    } catch let error as StorageError where error.code == .unavailable && error.isTransient {
                        if refused.increment() == 3 { gate.signal() }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(refused.value == 3)
        #expect(try await pool.run { true })
        await pool.shutdown()
    }

    @Test("accepts the end of begun work on a full queue")
    func regardless() async throws {
        let pool = BlockingPool(threads: 1, queue: 0)
        let gate = DispatchSemaphore(value: 0)
        let started = AsyncStream<Void>.makeStream()
        async let first: Void = pool.run {
            started.continuation.yield()
            gate.wait()
        }
        for await _ in started.stream { break }
        let code = await codeThrown { try await pool.run {} }
        #expect(code == .unavailable)
        async let second = pool.runRegardless { 7 }
        gate.signal()
        #expect(try await second == 7)
        try await first
        await pool.shutdown()
    }

    @Test("refuses everything after the shutdown")
    func shutdown() async throws {
        let pool = BlockingPool(threads: 2, queue: 4)
        await pool.shutdown()
        let code = await codeThrown { try await pool.run {} }
        #expect(code == .unavailable)
        await pool.shutdown()
    }
}
