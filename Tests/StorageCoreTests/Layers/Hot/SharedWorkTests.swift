import Testing

@testable import StorageCore

@Suite("SharedWork", .timeLimit(.minutes(1)))
struct SharedWorkTests {
    private let work = SharedWork<String, Int>()
    private let gate = Gate()
    private let runs = Counter()

    private func result() async throws -> Int {
        try await work.value(for: "a") {
            let run = runs.increment()
            try await gate.pass()
            return run
        }
    }

    private func whenWaiting(_ count: Int) async {
        while work.waiting(for: "a") < count { await Task.yield() }
    }

    @Test("is done once for all that want it meanwhile, and again for those who come later")
    func once() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { try await result() } }
            await whenWaiting(9)
            gate.open()
            for try await value in group { #expect(value == 1) }
        }
        #expect(runs.value == 1)
        #expect(try await result() == 2)
    }

    @Test("fails for all that want it, and is tried again by those who come later")
    func failure() async throws {
        struct Failure: Error {}
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    await #expect(throws: Failure.self) {
                        try await work.value(for: "a") {
                            runs.increment()
                            try await gate.pass()
                            throw Failure()
                        }
                    }
                }
            }
            await whenWaiting(4)
            gate.open()
            try await group.waitForAll()
        }
        #expect(runs.value == 1)
        #expect(try await result() == 2)
    }

    @Test("passes to another when the one who does it is cancelled")
    func cancelledLeader() async throws {
        try await withThrowingTaskGroup(of: Int.self) { all in
            await withTaskGroup(of: Void.self) { leader in
                leader.addTask {
                    await #expect(throws: CancellationError.self) { try await result() }
                }
                while runs.value < 1 { await Task.yield() }
                for _ in 0..<3 { all.addTask { try await result() } }
                await whenWaiting(3)
                leader.cancelAll()
            }
            while runs.value < 2 { await Task.yield() }
            gate.open()
            for try await value in all { #expect(value == 2) }
        }
        #expect(runs.value == 2)
    }

    @Test("goes on when one who waits is cancelled")
    func cancelledWaiter() async throws {
        try await withThrowingTaskGroup(of: Int.self) { all in
            all.addTask { try await result() }
            while runs.value < 1 { await Task.yield() }
            await withTaskGroup(of: Void.self) { waiter in
                waiter.addTask { await #expect(throws: CancellationError.self) { try await result() } }
                await whenWaiting(1)
                waiter.cancelAll()
            }
            #expect(work.waiting(for: "a") == 0)
            gate.open()
            for try await value in all { #expect(value == 1) }
        }
    }
}
