import CLibpq
import NIOCore
import NIOPosix
import StorageSQL
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// One connection to the server, for one thread at a time: whoever took it from where it rests.
///
/// Waits for the server no longer than ``patience`` for each answer: a peer that is gone without a word looks like a slow one.
final class PostgresConnection: @unchecked Sendable {
    /// What a connection is used for.
    enum Purpose {
        /// Transactions; see ``PostgresSession``.
        case transactions
        /// Single queries of everybody; see ``ReadLane``.
        case singleReads
    }

    /// Ends the statement that runs on this connection.
    let cancellation: StatementCancellation
    let openedAt = NIODeadline.now()
    /// When it was last laid to rest.
    var restsSince = NIODeadline.now()
    /// Whether the server, or the way to it, did not answer in time.
    private(set) var fellSilent = false
    /// The names of the statements that the server has compiled here, by their text.
    var statements: [String: String] = [:]
    private var namesGiven = 0
    let pointer: OpaquePointer
    /// Which of the hosts of the URL it goes to.
    let host: Int

    /// For the answer to a statement, and to those that were sent with it: longer than the server lets a statement run.
    static let patience = TimeAmount.seconds(6)
    /// For connecting to one host of the URL.
    private static let connectPatience = TimeAmount.seconds(3)

    /// What every session promises; the limits end what would hold up others. A server that got half of what was sent together, and then
    /// nothing, finds out by keepalives.
    private static let settings = """
        SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3; \
        SET statement_timeout = '5s'; SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '10s';
        SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
        """

    /// Connects; blocks the thread.
    ///
    /// - Parameter first: Which of the hosts is tried first.
    init(_ address: PostgresAddress, first: Int, for purpose: Purpose) throws(PostgresError) {
        (pointer, host) = try Self.connect(address, first: first)
        guard let cancel = PQgetCancel(pointer) else {
            PQfinish(pointer)
            throw PostgresError(state: nil, "libpq has no memory for a connection")
        }
        cancellation = StatementCancellation(cancel)
        try run(script: Self.settings)
        if purpose == .singleReads {
            try run(script: "SET default_transaction_read_only = on")
            try enterPipeline()
        }
    }

    deinit {
        PQfinish(pointer)
    }

    /// The version of the server: 150003 is 15.3.
    var serverVersion: Int { Int(PQserverVersion(pointer)) }

    /// The encoding of the database.
    var encoding: String { PQparameterStatus(pointer, "server_encoding").map { String(cString: $0) } ?? "" }

    var isLost: Bool { fellSilent || PQstatus(pointer) != CONNECTION_OK }

    /// Whether it has reached an age; none is that for zero or less.
    func isOlder(than age: Duration) -> Bool {
        age > .zero && openedAt + TimeAmount(age) < .now()
    }

    /// Whether nobody has closed it while it rested; costs no round trip.
    func looksAlive() -> Bool {
        guard !isLost else { return false }
        // Otherwise there is the end of the stream, or what the server says before it.
        return Self.ready(PQsocket(pointer), Int16(POLLIN), until: .now()) == 0
    }

    /// Runs statements without parameters, separated by semicolons, and returns the last one's result.
    ///
    /// - Parameter patience: nil waits for as long as it takes.
    @discardableResult
    func run(
        script: String, patience: TimeAmount? = PostgresConnection.patience
    ) throws(PostgresError) -> PostgresResult {
        guard PQsendQuery(pointer, script) == 1 else { throw failure() }
        return try lastResult(patience)
    }

    // MARK: - Statements

    /// At most this many are kept compiled; those of more texts, and very long ones, are compiled each time.
    private static let statementLimit = 256
    private static let statementLength = 4_096

    /// A name to compile a statement under; nil for one that is not worth it.
    func newName(for sql: String) -> String? {
        guard namesGiven < Self.statementLimit, sql.utf8.count <= Self.statementLength else { return nil }
        namesGiven += 1
        return "s\(namesGiven)"
    }

    /// Queues one statement for the server, by its name where it has one.
    func send(_ sql: String, _ parameters: PostgresParameters) -> Bool {
        let name = statements[sql]
        let sent = parameters.withArrays { count, values, lengths, formats in
            if let name {
                PQsendQueryPrepared(pointer, name, count, values, lengths, formats, PostgresFormat.binary)
            } else {
                PQsendQueryParams(pointer, sql, count, nil, values, lengths, formats, PostgresFormat.binary)
            }
        }
        return sent == 1
    }

    /// The result of the last of the statements under way, all of which are read to their end.
    private func lastResult(_ patience: TimeAmount?) throws(PostgresError) -> PostgresResult {
        let deadline = patience.map { .now() + $0 } ?? NIODeadline.distantFuture
        try flush()
        var last: PostgresResult?
        var error: PostgresError?
        while let result = try nextResult(until: deadline) {
            if result.status == PGRES_FATAL_ERROR, error == nil { error = result.error }
            last = result
        }
        if let error { throw error }
        guard let last else { throw failure() }
        return last
    }

    // MARK: - The socket

    /// Sends what is queued, and takes in meanwhile what the server says: else each might wait for the other.
    func flush() throws(PostgresError) {
        while true {
            switch PQflush(pointer) {
            case 0: return
            case 1:
                let events = try wait(for: Int16(POLLIN | POLLOUT), until: .now() + Self.patience)
                if events & Int16(POLLIN) != 0, PQconsumeInput(pointer) != 1 { throw failure() }
            default: throw failure()
            }
        }
    }

    /// The next result; nil at the end of those of a statement.
    func nextResult(until deadline: NIODeadline) throws(PostgresError) -> PostgresResult? {
        while PQisBusy(pointer) == 1 {
            _ = try wait(for: Int16(POLLIN), until: deadline)
            guard PQconsumeInput(pointer) == 1 else { throw failure() }
        }
        return PQgetResult(pointer).map { PostgresResult($0) }
    }

    /// What libpq says of the last thing that failed.
    func failure() -> PostgresError {
        PostgresError(state: nil, PQerrorMessage(pointer).trimmedText)
    }

    private func wait(for events: Int16, until deadline: NIODeadline) throws(PostgresError) -> Int16 {
        let ready = Self.ready(PQsocket(pointer), events, until: deadline)
        guard ready != 0 else {
            fellSilent = true
            throw PostgresError(state: nil, "the server did not answer in time")
        }
        return ready
    }

    /// Waits until a socket can be read or written, as asked; 0 when the time is over.
    private static func ready(_ socket: Int32, _ events: Int16, until deadline: NIODeadline) -> Int16 {
        var entry = pollfd(fd: socket, events: events, revents: 0)
        while true {
            let left = (deadline - .now()).nanoseconds
            let milliseconds = max(0, min(left / 1_000_000 + (left > 0 ? 1 : 0), 3_600_000))
            switch poll(&entry, 1, Int32(milliseconds)) {
            case 0 where left <= 0: return 0
            case 0: continue
            case 1...: return entry.revents
            default: if errno != EINTR { return Int16(POLLERR) }
            }
        }
    }

    /// Tries the hosts of the URL, the one that answered last before the others: one that is silent must not keep from them.
    private static func connect(
        _ address: PostgresAddress, first: Int
    ) throws(PostgresError) -> (pointer: OpaquePointer, host: Int) {
        var last = PostgresError(state: nil, "libpq has no memory for a connection")
        for index in [first] + address.hosts.indices.filter({ $0 != first }) {
            let host = address.hosts[index]
            let started = address.withArrays(host: host) { keywords, values in PQconnectStartParams(keywords, values, 1)
            }
            guard let started else { continue }
            do throws(PostgresError) {
                try finishConnecting(started, until: .now() + connectPatience)
                return (started, index)
            } catch {
                PQfinish(started)
                last = error
            }
        }
        throw last
    }

    private static func finishConnecting(_ pointer: OpaquePointer, until deadline: NIODeadline) throws(PostgresError) {
        // With this the message names the error by its code: there is no other way to it before there is a connection.
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        PQsetNoticeReceiver(pointer, { _, _ in }, nil)
        var status = PQstatus(pointer) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            let events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard status != PGRES_POLLING_FAILED else { throw PostgresError(connecting: pointer) }
            guard ready(PQsocket(pointer), Int16(events), until: deadline) != 0 else {
                throw PostgresError(state: nil, "no connection within \(connectPatience.nanoseconds / 1_000_000_000) s")
            }
            status = PQconnectPoll(pointer)
        }
        PQsetErrorVerbosity(pointer, PQERRORS_DEFAULT)
        PQsetnonblocking(pointer, 1)
    }
}

extension PostgresError {
    /// Why there is no connection. The message, in words of the server's language, has the code between two colons.
    fileprivate init(connecting pointer: OpaquePointer) {
        let message = PQerrorMessage(pointer).trimmedText
        let code = message.split(separator: ":").lazy.map { $0.drop { $0 == " " } }.first { part in
            part.utf8.count == 5 && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
                && part.utf8.contains { (0x30...0x39).contains($0) }
        }
        // Behind it comes the place in the server's source.
        self.init(state: code.map(String.init), message.split(separator: " LOCATION:")[0].description)
    }
}

/// Asks the server, on a connection of its own, to end what runs on another; works from any thread.
///
/// `PQcancel` makes that connection without TLS, whatever the URL says (PostgreSQL documentation, 34.7): it carries the number and the key
/// of the session, and nothing else.
final class StatementCancellation: @unchecked Sendable {
    // libpq's own copy of what it needs to know: it outlives the connection and never changes.
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }

    /// Asks soon, on a thread for that; not at all where many are asked already, and the server's own limits have to do.
    func request() {
        guard Self.requests.add(1, ordering: .relaxed).newValue <= Self.requestLimit else {
            Self.requests.subtract(1, ordering: .relaxed)
            return
        }
        Self.threads.submit { _ in
            self.send()
            Self.requests.subtract(1, ordering: .relaxed)
        }
    }

    private static let requestLimit = 100
    private static let requests = Atomic(0)
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        return threads
    }()

    /// Blocks until the server has taken the request; whether it still found something to end is not told.
    private func send() {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &message, Int32(message.count))
    }
}
