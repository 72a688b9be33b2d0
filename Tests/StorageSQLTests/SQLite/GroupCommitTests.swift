import GRDB
import StorageSQL
import Synchronization
import Testing

@testable import StorageSQLite

/// Batches made on purpose: the first body holds the writer until all others wait.
@Suite struct GroupCommitTests {
    @Test func aBatchSharesOneCommitWhoseFailureFailsAllOfIt() async throws {
        let batch = try Batch()
        for number in 1...9 as ClosedRange<Int64> {
            batch.add { try $0.insert(number) }
        }
        batch.add { session in
            // Checked by COMMIT, so that no body fails before.
            try session.script("PRAGMA defer_foreign_keys = ON")
            try session.execute("INSERT INTO owned (id, item) VALUES (1, 99)", [])
        }
        batch.add { _ in throw Refusal(number: 1) }
        let kinds = await batch.outcomes().map { ($0 as? SQLError)?.kind }
        #expect(kinds == Array(repeating: .constraintViolation, count: 11))
        #expect(try batch.ids() == [])
    }

    @Test func aBodyThatFailsIsToldAndTheOthersOfItsBatchAreKept() async throws {
        let batch = try Batch()
        for number in 1...9 as ClosedRange<Int64> {
            batch.add { session in
                try session.insert(number)
                if number == 4 { throw Refusal(number: 4) }
            }
        }
        let outcomes = await batch.outcomes()
        #expect(outcomes.enumerated().filter { $0.element != nil }.map(\.offset) == [3])
        #expect(outcomes[3] as? Refusal == Refusal(number: 4))
        #expect(try batch.ids() == [1, 2, 3, 5, 6, 7, 8, 9])
    }

    @Test func bodiesOfABatchSeeEachOthersChangesInOrder() async throws {
        let batch = try Batch()
        let counts = Mutex<[Int]>([])
        for number in 1...5 as ClosedRange<Int64> {
            batch.add { session in
                try session.insert(number)
                let count = try session.query("SELECT id FROM items", []).count
                counts.withLock { $0.append(count) }
            }
        }
        let outcomes = await batch.outcomes()
        #expect(outcomes.allSatisfy { $0 == nil })
        #expect(counts.withLock { $0 } == [1, 2, 3, 4, 5])
    }

    @Test func whenTheDatabaseIsFullTheBodyThatNeedsTheRoomFailsAlone() async throws {
        let batch = try Batch()
        try batch.limit(pages: 60)
        let runs = Counter()
        for number in 1...9 as ClosedRange<Int64> {
            batch.add { session in
                runs.increment()
                try session.insert(number)
                if number == 5 { try session.fill(number) }
            }
        }
        let kinds = await batch.outcomes().map { ($0 as? SQLError)?.kind }
        #expect(kinds.enumerated().filter { $0.element != nil }.map(\.offset) == [4])
        #expect(kinds[4] == .full)
        #expect(try batch.ids() == [1, 2, 3, 4, 6, 7, 8, 9])
        // SQLite ended the transaction with the fifth: five ran in vain, and all nine alone.
        #expect(runs.value == 14)

        try batch.limit(pages: 10_000)
        batch.add { session in
            try session.insert(5)
            try session.fill(5)
        }
        let later = await batch.outcomes()
        #expect(later.count == 1 && later[0] == nil)
        #expect(try batch.ids() == Array(1...9))
    }

    @Test(arguments: [1, 5])
    func aBodyThatHidesTheErrorThatEndedItsTransactionFails(_ others: Int64) async throws {
        let batch = try Batch()
        try batch.limit(pages: 60)
        for number in 1..<others {
            batch.add { try $0.insert(number) }
        }
        batch.add { session in
            try session.insert(100)
            try? session.fill(100)
            // Would be a transaction of its own.
            try? session.insert(101)
        }
        let kinds = await batch.outcomes().map { ($0 as? SQLError)?.kind }
        #expect(kinds == Array(repeating: nil, count: Int(others) - 1) + [.full])
        #expect(try batch.ids() == Array(1..<others))
    }

    @Test func noTransactionHoldsMoreBodiesThanTheBound() async throws {
        let batch = try Batch(largest: 4)
        for number in 1...10 as ClosedRange<Int64> {
            batch.add { session in
                try session.insert(number)
                if number == 6 {
                    try session.script("PRAGMA defer_foreign_keys = ON; INSERT INTO owned VALUES (1, 99)")
                }
            }
        }
        let outcomes = await batch.outcomes()
        #expect(outcomes.enumerated().filter { $0.element != nil }.map(\.offset) == [4, 5, 6, 7])
        #expect(try batch.ids() == [1, 2, 3, 4, 9, 10])
    }
}

extension SQLSession {
    /// Needs about 250 pages.
    fileprivate func fill(_ id: Int64) throws {
        try execute(
            "UPDATE items SET bytes = $2 WHERE id = $1",
            [.integer(id), .bytes([UInt8](repeating: 1, count: 1_000_000))])
    }
}

/// Bodies that are enqueued while the writer is held, so that they form one batch.
private final class Batch {
    private let database: DatabaseQueue
    private let queue: WriteQueue
    private var bodies: [@Sendable (any SQLSession) throws -> Void] = []

    init(largest: Int = 128) throws {
        database = try DatabaseQueue()
        queue = WriteQueue(writer: database, limit: 1000, largestBatch: largest)
        try database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, bytes BLOB);
                    CREATE TABLE owned (id INTEGER NOT NULL PRIMARY KEY, item INTEGER NOT NULL REFERENCES items (id));
                    """)
        }
    }

    func add(_ body: @escaping @Sendable (any SQLSession) throws -> Void) {
        bodies.append(body)
    }

    func limit(pages: Int) throws {
        try database.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
    }

    func ids() throws -> [Int64] {
        try database.read { try Int64.fetchAll($0, sql: "SELECT id FROM items ORDER BY id") }
    }

    /// Runs the bodies as one batch and returns the error of each, in order.
    func outcomes() async -> [(any Error)?] {
        let gate = Gate()
        queue.enqueue(PendingWrite(durability: .durable, attempt: { _ in { gate.pass() } }, fail: { _ in }))
        await gate.isReached()
        let collected = Outcomes(count: bodies.count)
        for (index, body) in bodies.enumerated() {
            queue.enqueue(
                PendingWrite(
                    durability: .durable,
                    attempt: { session in
                        try body(session)
                        return { collected.finish(index, nil) }
                    },
                    fail: { collected.finish(index, $0) }))
        }
        bodies = []
        gate.open()
        return await collected.all()
    }
}

/// What became of each body, once all are known.
private final class Outcomes: Sendable {
    private struct State {
        var outcomes: [Result<Void, any Error>?]
        var waiting: CheckedContinuation<[(any Error)?], Never>?

        var all: [(any Error)?]? {
            guard outcomes.allSatisfy({ $0 != nil }) else { return nil }
            return outcomes.map { outcome in
                if case .failure(let error) = outcome { error } else { nil }
            }
        }
    }

    private let state: Mutex<State>

    init(count: Int) {
        state = Mutex(State(outcomes: Array(repeating: nil, count: count)))
    }

    func finish(_ index: Int, _ error: (any Error)?) {
        let (waiting, all) = state.withLock { state in
            #expect(state.outcomes[index] == nil, "told twice")
            state.outcomes[index] = error.map { .failure($0) } ?? .success(())
            return (state.waiting, state.all)
        }
        if let waiting, let all { waiting.resume(returning: all) }
    }

    func all() async -> [(any Error)?] {
        await withCheckedContinuation { continuation in
            let all = state.withLock { state in
                state.waiting = continuation
                return state.all
            }
            if let all { continuation.resume(returning: all) }
        }
    }
}
