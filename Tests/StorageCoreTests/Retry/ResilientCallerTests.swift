import Synchronization
import Testing

@testable import StorageCore

@Suite("ResilientCaller")
struct ResilientCallerTests {
    /// Notes what it is told.
    private final class Witness: ResilienceObserver {
        private let entries = Mutex<[String]>([])

        var notes: [String] { entries.withLock { $0 } }

        func retried(
            _ operation: String, of service: String, attempt: Int, after delay: Duration, because error: StorageError
        ) {
            entries.withLock { $0.append("\(service) \(operation) \(attempt)") }
        }

        func gaveUp(
            _ operation: String, of service: String, attempts: Int, because reason: ResilientCaller.Surrender,
            error: StorageError
        ) {
            entries.withLock { $0.append("\(service) \(operation) given up after \(attempts): \(reason.rawValue)") }
        }

        func circuitChanged(of service: String, to state: CircuitBreaker.State) {
            entries.withLock { $0.append("\(service) \(state.rawValue)") }
        }
    }

    private let clock = TestClock()
    private let witness = Witness()

    private func caller(_ change: (inout RetryPolicy) -> Void = { _ in }) -> ResilientCaller {
        var policy = RetryPolicy()
        change(&policy)
        return ResilientCaller(service: "test", policy: policy, observer: witness, clock: clock)
    }

    private static let slow = StorageError(.unavailable, "slow down", isTransient: true)
    private static let forbidden = StorageError(.forbidden, "no")

    /// Fails as often as told, then answers with the number of the attempt.
    private func failing(_ times: Int, _ caller: ResilientCaller, _ error: StorageError = slow) async throws -> Int {
        try await caller.call("GET") { attempt in
            if attempt <= times { throw error }
            return attempt
        }
    }

    @Test("repeats a transient failure until the call succeeds")
    func repeats() async throws {
        #expect(try await failing(3, caller()) == 4)
        #expect(witness.notes == ["test GET 2", "test GET 3", "test GET 4"])
        #expect(clock.sleeps.count == 3)
        #expect(zip(clock.sleeps, [50, 100, 200]).allSatisfy { $0 <= .milliseconds($1) })
    }

    @Test("does not repeat a permanent failure, which is no failure of the service either")
    func permanent() async throws {
        let caller = caller()
        for _ in 0..<100 {
            await #expect(throws: StorageError.self) { try await failing(1, caller, Self.forbidden) }
        }
        #expect(witness.notes.isEmpty)
        #expect(caller.circuitState == .closed)
    }

    @Test("gives up with the latest error after the last attempt, and says so once")
    func attempts() async throws {
        let error = await #expect(throws: StorageError.self) { try await failing(9, caller()) }
        #expect(error?.code == .unavailable)
        #expect(
            witness.notes == [
                "test GET 2", "test GET 3", "test GET 4", "test GET given up after 4: attempts",
            ])
    }

    @Test("does not repeat what cannot be repeated")
    func notReplayable() async throws {
        await #expect(throws: StorageError.self) {
            try await caller().call("PUT", isReplayable: false) { _ in throw Self.slow }
        }
        #expect(witness.notes == ["test PUT given up after 1: not_replayable"])
    }

    @Test("waits for as long as the service asks, and gives up at once when that is behind the deadline")
    func retryAfter() async throws {
        let late = StorageError(.unavailable, "later", isTransient: true, retryAfter: .seconds(20))
        #expect(try await failing(1, caller(), late) == 2)
        #expect(clock.sleeps.count == 1)
        #expect(clock.sleeps.allSatisfy { $0 >= .seconds(20) && $0 < .seconds(21) })
        await #expect(throws: StorageError.self) { try await failing(2, caller(), late) }
        #expect(witness.notes.last == "test GET given up after 2: deadline")
        #expect(clock.sleeps.count == 2)
    }

    @Test("counts the time of slow attempts against the deadline")
    func slowAttempts() async throws {
        await #expect(throws: StorageError.self) {
            try await caller().call("GET") { _ in
                clock.advance(by: .seconds(16))
                throw Self.slow
            }
        }
        #expect(witness.notes == ["test GET 2", "test GET given up after 2: deadline"])
    }

    @Test("gives a call that takes long by its nature as much more time")
    func longCall() async throws {
        let caller = caller()
        let attempts = try await caller.call("PUT", lasting: .seconds(16)) { attempt in
            clock.advance(by: .seconds(20))
            if attempt <= 2 { throw Self.slow }
            return attempt
        }
        #expect(attempts == 3)
    }

    @Test("waits no longer for a call that takes long by its nature")
    func longCallWaits() async throws {
        let late = StorageError(.unavailable, "later", isTransient: true, retryAfter: .seconds(20))
        let error = await #expect(throws: StorageError.self) {
            try await caller().call("PUT", lasting: .seconds(3_600)) { _ in
                clock.advance(by: .seconds(600))
                throw late
            }
        }
        #expect(error?.retryAfter == .seconds(20))
        #expect(clock.sleeps.count == 1)
        #expect(witness.notes.last == "test PUT given up after 2: deadline")
        let veryLate = StorageError(.unavailable, "later", isTransient: true, retryAfter: .seconds(300))
        await #expect(throws: StorageError.self) {
            try await caller().call("PUT", lasting: .seconds(3_600)) { _ in throw veryLate }
        }
        #expect(clock.sleeps.count == 1)
        #expect(witness.notes.last == "test PUT given up after 1: deadline")
    }

    @Test("makes a repetition at once of what failed after its call had returned, and has it paid for")
    func laterFailure() async throws {
        let caller = caller {
            $0.budget.reserve = 2
            $0.budget.ratio = 0
        }
        var numbers: [Int] = []
        for _ in 0..<2 { numbers.append(try await caller.call("GET", after: Self.slow) { $0 }) }
        #expect(numbers == [2, 2])
        #expect(clock.sleeps.count == 2)
        await #expect(throws: StorageError.self) {
            try await caller.call("GET", after: Self.slow) { _ in Issue.record("the service was asked") }
        }
        #expect(witness.notes == ["test GET 2", "test GET 2", "test GET given up after 1: budget"])
    }

    @Test("counts what failed later against a service that seems to live, and asks one that seems dead")
    func laterFailures() async throws {
        let caller = caller { $0.circuit.failureRatio = 0 }
        for _ in 0..<9 { _ = try await caller.call("GET", after: Self.slow) { $0 } }
        #expect(caller.circuitState == .closed)
        await #expect(throws: StorageError.self) {
            try await caller.call("GET", after: Self.slow) { _ in Issue.record("the service was asked") }
        }
        #expect(caller.circuitState == .open)
        clock.advance(by: .seconds(1))
        #expect(try await caller.call("GET", after: Self.slow) { $0 } == 2)
        #expect(caller.circuitState == .closed)
    }

    @Test("lets others try when a repetition that was to try is not paid for")
    func unpaidProbe() async throws {
        let caller = caller { $0.budget.ratio = 0 }
        for _ in 0..<3 { _ = try? await failing(9, caller) }
        #expect(caller.circuitState == .open)
        clock.advance(by: .seconds(1))
        var notes: [String] = []
        for _ in 0..<4 where notes.last?.hasSuffix("budget") != true {
            _ = try? await caller.call("GET", after: Self.slow) { _ in throw CancellationError() }
            notes = witness.notes
        }
        #expect(notes.last == "test GET given up after 1: budget")
        #expect(caller.circuitState == .halfOpen)
        #expect(try await failing(0, caller) == 1)
        #expect(caller.circuitState == .closed)
    }

    private struct Shortage: LocalShortage {}

    @Test("does not hold against the service that it could not be asked, and pays nothing for asking then")
    func shortage() async throws {
        let caller = caller { $0.budget.ratio = 0 }
        let error = StorageError(.unavailable, "no connection is free", isTransient: true, cause: Shortage())
        for _ in 0..<50 { await #expect(throws: StorageError.self) { try await failing(9, caller, error) } }
        #expect(caller.circuitState == .closed)
        #expect(witness.notes.last == "test GET given up after 4: attempts")
        #expect(try await failing(3, caller) == 4)
    }

    @Test("adds at most a tenth of requests to those of all calls, once the reserve is spent")
    func budget() async throws {
        // The circuit is kept out of it.
        let caller = caller { $0.circuit.failureRatio = 1.1 }
        let requests = Mutex(0)
        for _ in 0..<1_000 {
            _ = try? await caller.call("GET") { _ in
                requests.withLock { $0 += 1 }
                throw Self.slow
            }
        }
        #expect((1_100...1_110).contains(requests.withLock { $0 }))
        #expect(witness.notes.contains("test GET given up after 1: budget"))
    }

    @Test("fails at once while the service is dead, without a request, and goes on when it lives")
    func circuit() async throws {
        let caller = caller { $0.budget.reserve = 1_000 }
        for _ in 0..<3 { _ = try? await failing(9, caller) }
        #expect(caller.circuitState == .open)
        #expect(witness.notes.suffix(2) == ["test open", "test GET given up after 2: circuit"])

        let error = await #expect(throws: StorageError.self) {
            try await caller.call("GET") { _ in Issue.record("the service was asked") }
        }
        #expect(error?.isTransient == true)
        #expect(error?.retryAfter == .seconds(1))

        clock.advance(by: .seconds(1))
        await #expect(throws: StorageError.self) { try await failing(9, caller) }
        #expect(witness.notes.suffix(2) == ["test open", "test GET given up after 1: circuit"])
        clock.advance(by: .seconds(2))
        #expect(try await failing(0, caller) == 1)
        #expect(witness.notes.suffix(2) == ["test half_open", "test closed"])
    }

    @Test("takes a refusal as a sign of life")
    func refusedProbe() async throws {
        let caller = caller()
        for _ in 0..<3 { _ = try? await failing(9, caller) }
        clock.advance(by: .seconds(1))
        await #expect(throws: StorageError.self) { try await failing(1, caller, Self.forbidden) }
        #expect(caller.circuitState == .closed)
    }

    @Test("lets others try when the one that tried was cancelled")
    func cancelledProbe() async throws {
        let caller = caller()
        for _ in 0..<3 { _ = try? await failing(9, caller) }
        clock.advance(by: .seconds(1))
        await #expect(throws: CancellationError.self) {
            try await caller.call("GET") { _ in throw CancellationError() }
        }
        #expect(caller.circuitState == .halfOpen)
        #expect(try await failing(0, caller) == 1)
        #expect(caller.circuitState == .closed)
    }

    @Test("does nothing in a task that is cancelled, and does not repeat there")
    func cancelled() async throws {
        let caller = caller()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                withUnsafeCurrentTask { $0?.cancel() }
                await #expect(throws: CancellationError.self) {
                    try await caller.call("GET") { _ in Issue.record("the service was asked") }
                }
            }
            group.addTask {
                await #expect(throws: StorageError.self) {
                    try await caller.call("GET") { attempt in
                        #expect(attempt == 1)
                        withUnsafeCurrentTask { $0?.cancel() }
                        throw Self.slow
                    }
                }
            }
        }
        #expect(witness.notes.isEmpty)
    }
}
