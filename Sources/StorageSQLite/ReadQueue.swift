import GRDB
import StorageSQL

/// A body that waits to be run on a snapshot, and the one who waits for it.
struct PendingRead: Sendable {
    /// Runs the body once. What it returns hands its value to the caller.
    let attempt: @Sendable (any SQLSession) throws -> @Sendable () -> Void
    /// Tells the caller of failure.
    let fail: @Sendable (any Error) -> Void
}

/// Runs reads on the reading connections, several in one turn on a connection's thread: the way to a thread and back costs more
/// than a query by key.
struct ReadQueue: Sendable {
    private let reader: any DatabaseReader
    private let queue: JobQueue<PendingRead>

    /// How many reads a connection runs before others get its thread, which an in-memory database shares with its writer.
    private static let turn = 64
    /// A read finds the database busy only while another process recovers or closes it, and after waiting for that already.
    private static let attempts = 3

    /// - Parameters:
    ///   - connections: how many reads may run at a time
    ///   - limit: how many reads may wait
    init(reader: any DatabaseReader, connections: Int, limit: Int) {
        self.reader = reader
        self.queue = JobQueue(workers: connections, limit: limit)
    }

    /// How many bodies wait.
    var waiting: Int { queue.waiting }

    /// Puts a body at the end of the queue; its caller is told in any case, exactly once.
    func enqueue(_ read: PendingRead) {
        switch queue.admit(read) {
        case .waits: break
        case .starts: serve()
        case .refused(let error): read.fail(error)
        }
    }

    /// Refuses what comes from now on and returns when everything that waited is done.
    func close() async {
        await queue.close()
    }

    private func serve() {
        reader.asyncUnsafeRead { connection in
            for _ in 0..<Self.turn {
                guard let read = queue.next() else { break }
                answer(read, on: connection)()
            }
            if !queue.retires() { serve() }
        }
    }

    private func answer(_ read: PendingRead, on connection: Result<Database, any Error>) -> @Sendable () -> Void {
        do {
            let database = try connection.mapError { SQLError(grdb: $0) }.get()
            for _ in 1..<Self.attempts {
                do {
                    return try answer(read, on: database)
                } catch let error as SQLError where error.kind == .busy {
                    continue
                }
            }
            return try answer(read, on: database)
        } catch {
            return { read.fail(error) }
        }
    }

    private func answer(_ read: PendingRead, on database: Database) throws -> @Sendable () -> Void {
        let session = try SQLiteSession(database, .reading)
        try session.control(.beginReading)
        defer { session.endReading() }
        return try read.attempt(session)
    }
}
