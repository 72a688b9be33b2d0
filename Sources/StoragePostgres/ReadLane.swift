import NIOCore
import NIOPosix
import StorageSQL
import Synchronization

/// Single queries of all callers on few connections, many on their way at a time.
///
/// What waits together is sent together, with one point of synchronisation: the server answers a batch without a round trip for each
/// query. Lookups of the same sort become one query for all their keys (``SQLLookup``). A query that fails takes those behind it in its
/// batch along; they are asked again, one by one. A query changes nothing, so one whose connection is lost is asked again on another.
final class ReadLane: Sendable {
    private let source: ConnectionSource
    private let threads: NIOThreadPool
    /// Plans are made anew now and then: those made for small tables do badly in large ones.
    private let recycle: Duration
    private let queue: JobQueue<PendingQuery>
    private let waiting: WaitingLine<PendingQuery>
    private let resting = Mutex<[PostgresConnection]>([])

    /// One is on its way while the other is filled.
    static let connections = 2
    private static let largestBatch = 128
    /// How many connections may be lost under a query.
    private static let losses = 2

    init(_ source: ConnectionSource, _ options: PostgresPool.Options, threads: NIOThreadPool) {
        self.source = source
        self.threads = threads
        self.recycle = options.recycle
        self.queue = JobQueue(workers: Self.connections, limit: options.waiting)
        self.waiting = WaitingLine(timeout: options.timeout)
    }

    /// Asks one query. A cancelled caller is gone at once; a query that is on its way by then is answered to nobody.
    func query(_ sql: String, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        let parameters = try PostgresParameters(arguments)
        let caller = Caller()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let query = PendingQuery(sql, parameters) { continuation.resume(with: $0) }
                caller.waits { query.finish(.failure(CancellationError())) }
                wait(query)
            }
        } onCancel: {
            caller.leaves()
        }
    }

    /// Asks one query for a caller without a task.
    func query(_ sql: String, _ arguments: [SQLValue], on eventLoop: any EventLoop) -> EventLoopFuture<[SQLRow]> {
        let promise = eventLoop.makePromise(of: [SQLRow].self)
        do {
            let parameters = try PostgresParameters(arguments)
            wait(PendingQuery(sql, parameters) { promise.completeWith($0) })
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
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
        while let next = together.isEmpty ? alone.popLast().map({ [$0] }) : together {
            together = []
            let connection: PostgresConnection
            do throws(PostgresError) {
                connection = try restingConnection()
            } catch {
                return giveUp(next + alone, for: error)
            }
            let questions = Question.merging(next)
            var answered = 0
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
                    case .rows(let result): question.finish(result)
                    case .passedOver: alone += question.queries
                    case .failed(let error) where error.isPassing && losses < Self.losses:
                        losses += 1
                        alone += question.queries
                    // One of its keys may be to blame; who waits for a lock is not.
                    case .failed(let error) where question.queries.count > 1 && !error.isLockTimeout:
                        alone += question.queries
                    case .failed(let error): for query in question.queries { query.finish(.failure(SQLError(error))) }
                    }
                }
                try connection.endOfBatch()
                resting.withLock { $0.append(connection) }
            } catch {
                losses += 1
                together = questions[answered...].flatMap(\.queries)
                // The one that the server fell silent over; those behind it are asked again.
                if connection.fellSilent, answered < questions.count {
                    let silent = questions[answered].queries
                    for query in silent { query.finish(.failure(SQLError(error))) }
                    together.removeFirst(silent.count)
                }
                guard losses <= Self.losses else {
                    for query in together + alone { query.finish(.failure(SQLError(error))) }
                    return
                }
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
        return try source.connect(for: .singleReads)
    }
}

/// What is sent as one statement: a query, or lookups of one sort.
private struct Question {
    let queries: [PendingQuery]
    let sql: String
    let parameters: PostgresParameters

    private static let lookup = SQLLookup.fileByPath
    /// How many keys one statement may have: as many different ones are compiled.
    private static let sizes = [2, 4, 8, 16, 32]
    private static let texts = Dictionary(uniqueKeysWithValues: sizes.map { ($0, lookup.several($0)) })

    private init(_ query: PendingQuery) {
        (queries, sql, parameters) = ([query], query.sql, query.parameters)
    }

    private init(_ lookups: [PendingQuery], size: Int, text: String) {
        queries = lookups
        sql = text
        parameters = PostgresParameters(
            lookups.map(\.parameters), nulls: (size - lookups.count) * Self.lookup.width)
    }

    static func merging(_ queries: [PendingQuery]) -> [Question] {
        var questions = queries.filter { $0.sql != lookup.single }.map { Question($0) }
        var lookups = queries.filter { $0.sql == lookup.single }[...]
        while let first = lookups.first {
            let size = sizes.first { $0 >= lookups.count } ?? sizes[sizes.count - 1]
            if lookups.count > 1, let text = texts[size] {
                questions.append(Question(Array(lookups.prefix(size)), size: size, text: text))
                lookups = lookups.dropFirst(size)
            } else {
                questions.append(Question(first))
                lookups = lookups.dropFirst()
            }
        }
        return questions
    }

    /// Gives every query its rows.
    func finish(_ result: PostgresResult) {
        do {
            let rows = try result.rows()
            guard queries.count > 1 else { return queries[0].finish(.success(rows)) }
            var shares = [[SQLRow]](repeating: [], count: queries.count)
            for row in rows {
                let place = Int(try row.integer(0))
                guard shares.indices.contains(place) else { throw SQLError(.other, "a row for nobody") }
                shares[place].append(row.dropFirst())
            }
            for (query, share) in zip(queries, shares) { query.finish(.success(share)) }
        } catch {
            for query in queries { query.finish(.failure(error)) }
        }
    }
}
