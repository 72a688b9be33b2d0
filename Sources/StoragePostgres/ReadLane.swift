import NIOCore
import NIOPosix
import StorageSQL
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Single queries of all callers on few connections, many on their way at a time.
///
/// What waits together is sent together, with one point of synchronisation: the server answers a batch without a round trip for each
/// query. Lookups of the same sort become one query for all their keys (``SQLLookup``). A query that fails takes those behind it in its
/// batch along; they are asked again, one by one. A query changes nothing, so one whose connection is lost is asked again on another.
/// Before the queries of a batch comes the one for the version of the database, where somebody wants to know.
final class ReadLane: Sendable {
    private let source: ConnectionSource
    private let threads: NIOThreadPool
    /// Plans are made anew now and then: those made for small tables do badly in large ones.
    private let recycle: Duration
    private let queue: JobQueue<PendingQuery>
    private let waiting: WaitingLine<PendingQuery>
    private let repetitions: Repetitions
    private let resting = Mutex<[PostgresConnection]>([])
    /// How many connections were made.
    private let connectionsMade = Atomic<UInt64>(0)
    /// Whether the server does not let this user ask for the version, or does not know what that is.
    private let refusesVersion = Atomic(false)

    /// One is on its way while the other is filled.
    static let connections = 2
    private static let largestBatch = 32
    /// How often a worker lets others run before it takes a batch: those who were just answered ask again, and what they ask goes together.
    private static let stepsBack = 2
    /// How many connections may be lost under a query.
    private static let losses = 2

    init(
        _ source: ConnectionSource, _ options: PostgresPool.Options, _ repetitions: Repetitions, threads: NIOThreadPool
    ) {
        self.source = source
        self.repetitions = repetitions
        self.threads = threads
        self.recycle = options.recycle
        self.queue = JobQueue(workers: Self.connections, limit: options.waiting)
        self.waiting = WaitingLine(timeout: options.timeout)
    }

    /// How many wait, and how many have waited in vain.
    var load: (waiting: Int, timeouts: UInt64) { (queue.waiting, waiting.timeouts) }

    /// Asks one query. A cancelled caller is gone at once; a query that is on its way by then is answered to nobody.
    func query(_ sql: String, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        let parameters = try PostgresParameters(arguments)
        let caller = Caller()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let query = PendingQuery(sql, parameters, wantsVersion: false) { answer in
                    continuation.resume(with: answer.map(\.rows))
                }
                caller.waits { query.finish(.failure(CancellationError())) }
                wait(query)
            }
        } onCancel: {
            caller.leaves()
        }
    }

    /// Asks one query for a caller without a task, and a version that the database has before it.
    func query(
        _ sql: String, _ arguments: [SQLValue], on eventLoop: any EventLoop
    ) -> EventLoopFuture<PendingQuery.Answer> {
        let promise = eventLoop.makePromise(of: PendingQuery.Answer.self)
        do {
            let parameters = try PostgresParameters(arguments)
            wait(PendingQuery(sql, parameters, wantsVersion: true) { promise.completeWith($0) })
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }

    /// Asks for the version that the database has: one statement for all who want to know at the same time.
    func version(on eventLoop: any EventLoop) -> EventLoopFuture<SQLVersion?> {
        guard !refusesVersion.load(ordering: .relaxed) else { return eventLoop.makeSucceededFuture(nil) }
        return query(SQLVersion.postgres, [], on: eventLoop).map(\.version)
    }

    private func wait(_ query: PendingQuery) {
        waiting.add(query)
        enqueue(query)
    }

    /// Refuses what comes from now on and returns when everything that waited is answered.
    func close() async {
        await queue.close()
        resting.withLock { $0 = [] }
    }

    private func enqueue(_ query: PendingQuery) {
        switch queue.admit(query) {
        case .waits: break
        case .starts: threads.submit { _ in self.serve() }
        case .refused(let error): query.finish(.failure(error))
        }
    }

    private func serve() {
        repeat {
            while true {
                for _ in 0..<Self.stepsBack { sched_yield() }
                let batch = queue.next(Self.largestBatch)
                guard !batch.isEmpty else { break }
                answer(batch.filter(\.isWaiting))
            }
        } while !queue.retires()
    }

    private func answer(_ batch: [PendingQuery]) {
        var together = batch
        var alone: [PendingQuery] = []
        var losses = 0
        var tellsVersion = !refusesVersion.load(ordering: .relaxed)
        while let next = together.isEmpty ? alone.popLast().map({ [$0] }) : together {
            together = []
            let connection: PostgresConnection
            do throws(PostgresError) {
                connection = try restingConnection()
            } catch {
                return giveUp(next + alone, for: error)
            }
            let made = connectionsMade.load(ordering: .acquiring)
            let questions = LaneQuestion.merging(next, tellingVersion: tellsVersion)
            var answered = 0
            var version: SQLVersion?
            do throws(PostgresError) {
                var areCompiled: [Bool] = []
                for question in questions {
                    areCompiled.append(try connection.enqueue(question.sql, question.parameters))
                }
                try connection.synchronize()
                for (question, isCompiled) in zip(questions, areCompiled) {
                    let answer = try connection.answer(to: question.sql, isCompiled: isCompiled)
                    answered += 1
                    switch answer {
                    case .rows(let result):
                        if question.isVersion { version = SQLVersion(postgres: result, connections: made) }
                        question.finish(result, version)
                    case .failed(let error) where question.isVersion:
                        tellsVersion = false
                        if error.isRefusedStatement { refusesVersion.store(true, ordering: .relaxed) }
                        question.tell([], nil)
                    case .passedOver: alone += question.queries
                    case .failed(let error) where error.isPassing && losses < Self.losses:
                        losses += 1
                        alone += question.queries
                        let count = question.queries.count
                        repetitions.repeats(.query, count: count, attempt: losses + 1, because: error)
                    // One of its keys may be to blame; who waits for a lock is not.
                    case .failed(let error) where question.queries.count > 1 && !error.isLockTimeout:
                        alone += question.queries
                    case .failed(let error):
                        if error.isPassing { repetitions.givesUp(.query, attempts: losses + 1, because: error) }
                        question.fail(SQLError(error))
                    }
                }
                try connection.endOfBatch()
                resting.withLock { $0.append(connection) }
            } catch {
                losses += 1
                together = questions[answered...].flatMap(\.queries)
                // The one that the server fell silent over; those behind it are asked again.
                if connection.fellSilent, answered < questions.count {
                    let silent = questions[answered...].prefix(questions[answered].isVersion ? 2 : 1).flatMap(\.queries)
                    for query in silent { query.finish(.failure(SQLError(error))) }
                    together.removeFirst(silent.count)
                }
                guard losses <= Self.losses else {
                    let rest = together + alone
                    if !rest.isEmpty { repetitions.givesUp(.query, attempts: losses, because: error) }
                    for query in rest { query.finish(.failure(SQLError(error))) }
                    return
                }
                repetitions.repeats(.query, count: together.count, attempt: losses + 1, because: error)
            }
        }
    }

    /// Tells those who wait that there is no connection, or waits with them for one.
    private func giveUp(_ queries: [PendingQuery], for error: PostgresError) {
        let waits = source.tryLater(after: error) {
            for query in queries where query.isWaiting { self.enqueue(query) }
        }
        guard !waits else { return }
        for query in queries { query.finish(.failure(SQLError(error))) }
    }

    private func restingConnection() throws(PostgresError) -> PostgresConnection {
        while let connection = resting.withLock({ $0.popLast() }) {
            if connection.looksAlive(), !connection.isOlder(than: recycle) { return connection }
        }
        let connection = try source.connect(for: .singleReads)
        connectionsMade.add(1, ordering: .releasing)
        return connection
    }
}
