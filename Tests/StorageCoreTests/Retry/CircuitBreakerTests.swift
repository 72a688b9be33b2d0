import Synchronization
import Testing

@testable import StorageCore

@Suite("CircuitBreaker")
struct CircuitBreakerTests {
    private let clock = TestClock()

    private func admitted(_ circuit: CircuitBreaker) throws -> CircuitBreaker.Admission {
        guard case .admitted(let admission) = circuit.admit() else {
            throw StorageError(.internal, "refused")
        }
        return admission
    }

    /// A circuit that ten failures have opened.
    private func opened(_ onChange: @escaping @Sendable (CircuitBreaker.State) -> Void = { _ in }) throws
        -> CircuitBreaker
    {
        let circuit = CircuitBreaker(clock: clock, onChange: onChange)
        for _ in 0..<10 { circuit.fail(try admitted(circuit)) }
        return circuit
    }

    @Test("stays closed while less than half of the latest attempts fail")
    func closed() throws {
        let circuit = CircuitBreaker(clock: clock)
        for _ in 0..<1_000 {
            circuit.succeed(try admitted(circuit))
            circuit.fail(try admitted(circuit))
            circuit.succeed(try admitted(circuit))
        }
        #expect(circuit.current == .closed)
    }

    @Test("looks at the latest attempts only: a long good past does not hide a dead service")
    func window() throws {
        let circuit = CircuitBreaker(clock: clock)
        for _ in 0..<10_000 { circuit.succeed(try admitted(circuit)) }
        for _ in 0..<9 { circuit.fail(try admitted(circuit)) }
        #expect(circuit.current == .closed)
        circuit.fail(try admitted(circuit))
        #expect(circuit.current == .open)
    }

    @Test("refuses everybody while it is open, and says for how long")
    func open() throws {
        let circuit = try opened()
        #expect(circuit.current == .open)
        #expect(circuit.admit() == .refused(.seconds(1)))
        clock.advance(by: .milliseconds(400))
        #expect(circuit.admit() == .refused(.milliseconds(600)))
    }

    @Test("lets one probe through after the pause, whose success closes it")
    func probe() throws {
        let states = Mutex<[CircuitBreaker.State]>([])
        let circuit = try withExtendedLifetime(states) {
            try opened { state in states.withLock { $0.append(state) } }
        }
        clock.advance(by: .seconds(1))
        let probe = try admitted(circuit)
        #expect(circuit.current == .halfOpen)
        #expect(circuit.admit() == .refused(.seconds(1)))
        circuit.succeed(probe)
        #expect(circuit.current == .closed)
        _ = try admitted(circuit)
        #expect(states.withLock { $0 } == [.open, .halfOpen, .closed])
    }

    @Test("stays open for twice as long after every probe that failed, up to the longest pause")
    func longerPauses() throws {
        let circuit = try opened()
        var pauses: [Duration] = []
        for _ in 0..<6 {
            guard case .refused(let pause) = circuit.admit() else { break }
            pauses.append(pause)
            clock.advance(by: pause)
            circuit.fail(try admitted(circuit))
        }
        #expect(pauses == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(15), .seconds(15)])
        clock.advance(by: .seconds(15))
        circuit.succeed(try admitted(circuit))
        for _ in 0..<10 { circuit.fail(try admitted(circuit)) }
        #expect(circuit.admit() == .refused(.seconds(1)))
    }

    @Test("gives the probe to another when the one who had it went away")
    func withdrawnProbe() throws {
        let circuit = try opened()
        clock.advance(by: .seconds(1))
        circuit.withdraw(try admitted(circuit))
        circuit.succeed(try admitted(circuit))
        #expect(circuit.current == .closed)
    }

    @Test("lets another try beside a probe that takes longer than the longest pause")
    func endlessProbe() throws {
        let circuit = try opened()
        clock.advance(by: .seconds(1))
        let probe = try admitted(circuit)
        clock.advance(by: .milliseconds(14_999))
        #expect(circuit.admit() == .refused(.seconds(1)))
        clock.advance(by: .milliseconds(1))
        _ = try admitted(circuit)
        #expect(circuit.admit() == .refused(.seconds(1)))
        // Late as it is, its answer is a sign of life.
        circuit.succeed(probe)
        #expect(circuit.current == .closed)
    }

    @Test("takes no notice of how calls end that began before it changed")
    func stale() throws {
        let circuit = CircuitBreaker(clock: clock)
        let old = try admitted(circuit)
        for _ in 0..<10 { circuit.fail(try admitted(circuit)) }
        circuit.succeed(old)
        #expect(circuit.current == .open)
        clock.advance(by: .seconds(1))
        let probe = try admitted(circuit)
        circuit.fail(old)
        #expect(circuit.current == .halfOpen)
        #expect(!circuit.allows(old))
        #expect(circuit.allows(probe))
        circuit.succeed(probe)
        #expect(circuit.allows(old))
    }
}
