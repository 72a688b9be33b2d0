import NIOCore
import NIOPosix
import Synchronization

/// The connections that transactions run on.
package final class PostgresPool: Sendable {
    /// How many there are, and which of them is taken.
    package struct Options: Sendable, Equatable {
        /// How many connections are kept.
        package var size = 6
        /// How many more may be opened while all of those are in use.
        package var maxOverflow = 4
        /// How long one beyond the size rests before it is closed: opening one for each transaction would cost more than keeping it.
        package var overflowRest: Duration = .seconds(10)
        /// How long a transaction waits for a connection before it is refused as busy.
        package var timeout: Duration = .seconds(30)
        /// The age at which a connection is replaced before its next use; zero or less for none.
        package var recycle: Duration = .seconds(300)
        /// Whether a connection that has rested for a second or more is asked for a sign of life before its use.
        package var prePing = true
        /// Whether the connection that was given back last is taken first, which lets the others grow old; else the one that has
        /// rested longest.
        package var useLIFO = true
        /// How many transactions, and how many single reads, may wait before more are refused as busy.
        package var waiting = 10_000

        /// The defaults.
        package init() {}

        /// How many transactions run at a time.
        var connections: Int { size + maxOverflow }
    }

    private struct State {
        /// The one that has rested longest first.
        var resting: [PostgresConnection] = []
        /// How many are taken.
        var inUse = 0
        var isClosed = false
        /// Whether somebody is going to look after those beyond the size.
        var hasTimer = false
    }

    private let source: ConnectionSource
    private let options: Options
    private let state = Mutex(State())

    private static let restThatNeedsNoPing = TimeAmount.seconds(1)
    private static let pingPatience = TimeAmount.seconds(1)

    init(_ source: ConnectionSource, _ options: Options) {
        self.source = source
        self.options = options
    }

    /// A connection for one transaction, to be given back in any case; blocks the thread while one is made.
    ///
    /// Callers see to it that they are no more than ``Options/connections``.
    func take() throws(PostgresError) -> PostgresConnection {
        state.withLock { $0.inUse += 1 }
        do throws(PostgresError) {
            return try find()
        } catch {
            state.withLock { $0.inUse -= 1 }
            throw error
        }
    }

    /// How many connections are taken, and how many rest.
    var load: (inUse: Int, idle: Int) { state.withLock { ($0.inUse, $0.resting.count) } }

    private func find() throws(PostgresError) -> PostgresConnection {
        while let connection = nextResting() {
            if isUsable(connection) { return connection }
            // What ended one has most likely ended those that have rested as long.
            if connection.isLost { state.withLock { $0.resting.removeAll { $0.restsSince <= connection.restsSince } } }
        }
        return try source.connect(for: .transactions)
    }

    /// - Parameter isUsable: Whether another transaction may have it.
    func giveBack(_ connection: PostgresConnection, isUsable: Bool) {
        connection.restsSince = .now()
        let needsTimer = state.withLock { state in
            state.inUse -= 1
            guard isUsable, !state.isClosed else { return false }
            state.resting.append(connection)
            guard state.resting.count > options.size, !state.hasTimer else { return false }
            state.hasTimer = true
            return true
        }
        if needsTimer { closeOverflow(in: TimeAmount(options.overflowRest)) }
    }

    private func closeOverflow(in pause: TimeAmount) {
        NIOSingletons.posixEventLoopGroup.any().scheduleTask(in: pause) { [self] in
            let (ended, next) = state.withLock { state -> ([PostgresConnection], NIODeadline?) in
                let now = NIODeadline.now()
                let beyond = state.resting.prefix(max(0, state.resting.count - options.size))
                let ended = beyond.prefix { $0.restsSince + TimeAmount(options.overflowRest) <= now }
                state.resting.removeFirst(ended.count)
                state.hasTimer = ended.count < beyond.count
                let next = state.hasTimer ? state.resting.first.map { $0.restsSince } : nil
                return (Array(ended), next)
            }
            // Not under the lock: closing says goodbye to the server.
            withExtendedLifetime(ended) {}
            if let next { closeOverflow(in: next + TimeAmount(options.overflowRest) - .now()) }
        }
    }

    /// Closes what rests, and from now on whatever is given back.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.resting = []
        }
    }

    private func nextResting() -> PostgresConnection? {
        state.withLock { state in
            guard !state.resting.isEmpty else { return nil }
            return options.useLIFO ? state.resting.removeLast() : state.resting.removeFirst()
        }
    }

    private func isUsable(_ connection: PostgresConnection) -> Bool {
        guard !connection.isOlder(than: options.recycle) else { return false }
        guard options.prePing else { return true }
        guard connection.looksAlive() else { return false }
        guard connection.restsSince + Self.restThatNeedsNoPing < .now() else { return true }
        return (try? connection.run(script: "SELECT 1", patience: Self.pingPatience)) != nil
    }
}
