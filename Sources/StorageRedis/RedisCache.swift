import Logging
import Metrics
public import NIOCore
import NIOPosix
public import StorageCore
import Synchronization

/// A shared cache in a Redis, which nobody waits for.
///
/// # Behavior
///
/// - A question is given up after four milliseconds; whoever asked goes on without an answer.
/// - After three questions in a row without an answer nobody asks any more, until Redis has answered a try that nobody waits for.
/// - A Redis that takes nothing more, because it is full or only read from, is still asked.
/// - Blocks only threads of its own, as many as it has connections.
/// - What Redis is asked to keep is written when it can be, and else forgotten.
public final class RedisCache: SharedCache {
    /// How Redis is asked.
    public struct Options: Sendable {
        /// How many connections there are at most, and threads that use them.
        public var connections = 4
        /// How long a question may take.
        public var patience: Duration = .milliseconds(4)
        /// How long connecting may take, with signing in; nobody waits for it any longer than for an answer.
        public var connecting: Duration = .milliseconds(250)
        /// How long a value may take that is written; nobody waits for it.
        public var writing: Duration = .milliseconds(50)

        /// The defaults.
        public init() {}
    }

    private struct State {
        var health = CacheHealth()
        var resting: [RedisConnection] = []
        var waiting = 0
        var isClosed = false
    }

    /// How many questions may wait for a thread before others are not asked.
    private static let mostWaiting = 256
    private static let pinging = Duration.milliseconds(500)
    /// How long the threads may take to end; one that looks up the name of a host may take longer, and is left behind.
    private static let ending = TimeAmount.seconds(1)

    private let address: RedisAddress
    private let options: Options
    private let threads: NIOThreadPool
    private let state = Mutex(State())
    private let counters = CacheCounters()
    private let logger = Logger(label: "storage.cache")

    /// Starts the threads; connects when it is asked for the first time.
    public init(_ address: RedisAddress, options: Options = Options()) {
        self.address = address
        self.options = options
        threads = NIOThreadPool(numberOfThreads: max(1, options.connections))
        threads.start()
        counters.circuit.record(0)
    }

    /// Closes the connections and ends the threads; what is asked afterwards has no answer. Takes a second at most.
    public func shutdown() async {
        let resting = state.withLock { state in
            state.isClosed = true
            defer { state.resting = [] }
            return state.resting
        }
        withExtendedLifetime(resting) {}
        await RedisQuestion.ask(until: .now() + Self.ending, late: ()) { ended in
            threads.shutdownGracefully { _ in ended(()) }
        }
    }

    // MARK: SharedCache

    /// The value of a key; nil also when Redis does not say in time.
    public func value(for key: SharedCacheKey) async -> ByteBuffer? {
        let reply = await ask([Array("GET".utf8), key.bytes]) {
            if case .bytes = $0 { true } else { $0 == .nothing }
        }
        guard let reply else { return nil }
        guard case .bytes(let bytes) = reply else {
            counters.misses.increment()
            return nil
        }
        counters.hits.increment()
        return bytes
    }

    /// Has a value written, when Redis takes it.
    public func set(_ value: ByteBuffer, for key: SharedCacheKey, lifetime: Duration) {
        tell([
            Array("SET".utf8), key.bytes, Array(value.readableBytesView), Array("PX".utf8), Self.milliseconds(lifetime),
        ]) { $0 == .status }
    }

    /// Has a value deleted, when Redis does.
    public func remove(_ key: SharedCacheKey) {
        tell([Array("DEL".utf8), key.bytes]) { $0.isNumber }
    }

    /// Counts, in one step.
    public func increment(_ key: SharedCacheKey, lifetime: Duration) async -> Int64? {
        let reply = await ask(
            [Array("EVAL".utf8), Array(Self.counting.utf8), Array("1".utf8), key.bytes, Self.milliseconds(lifetime)],
            isWrite: true
        ) { $0.isNumber }
        guard case .integer(let count)? = reply else { return nil }
        return count
    }

    /// Asks for a sign of life, also while nothing else is asked.
    public func ping() async throws {
        let result = await question([Array("PING".utf8)], Self.pinging)
        guard judge(result, isWrite: false, { $0 == .status }) == nil else { return }
        let failure: RedisFailure =
            switch result {
            case .failure(let failure): failure
            case .success(.refused(let error)): .refused(error)
            case .success: .malformed
            }
        throw StorageError(.unavailable, "The shared cache does not answer.", isTransient: true, cause: failure)
    }

    /// One that begins lasts for as long as it was told; later ones make it last no longer.
    private static let counting = """
        local count = redis.call('INCR', KEYS[1])
        if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
        return count
        """

    private static func milliseconds(_ duration: Duration) -> [UInt8] {
        let (seconds, attoseconds) = duration.components
        return Array("\(max(1, min(seconds, 1 << 40) * 1_000 + attoseconds / 1_000_000_000_000_000))".utf8)
    }

    // MARK: Asking

    /// Whether Redis is asked at the moment.
    var isAsked: Bool { state.withLock { $0.health.isAsked } }

    /// - Parameter isExpected: Whether a reply is of the kind that the command has.
    private func ask(
        _ command: [[UInt8]], isWrite: Bool = false, _ isExpected: (RedisReply) -> Bool
    ) async -> RedisReply? {
        guard isAsked else {
            counters.skipped.increment()
            return nil
        }
        return judge(await question(command, options.patience), isWrite: isWrite, isExpected)
    }

    private func judge(
        _ result: Result<RedisReply, RedisFailure>, isWrite: Bool, _ isExpected: (RedisReply) -> Bool
    ) -> RedisReply? {
        switch result {
        case .success(let reply) where isExpected(reply):
            state.withLock { $0.health.succeed() }
            return reply
        case .success(.refused(let error)):
            // Whoever takes nothing may still have answers.
            if isWrite { complain(error) } else { fail(.refused(error)) }
        case .success:
            // The answer to another question, perhaps: so would those be that follow.
            state.withLock { $0.resting = [] }
            fail(.malformed)
        case .failure(let failure): fail(failure)
        }
        return nil
    }

    private func question(_ command: [[UInt8]], _ patience: Duration) async -> Result<RedisReply, RedisFailure> {
        let deadline = NIODeadline.now() + TimeAmount(patience)
        return await RedisQuestion.ask(until: deadline, late: .failure(.late)) {
            submit(command, until: deadline, done: $0)
        }
    }

    /// Sends a command that nobody waits for.
    private func tell(_ command: [[UInt8]], _ isExpected: @escaping @Sendable (RedisReply) -> Bool) {
        guard isAsked else { return }
        submit(command, until: .now() + TimeAmount(options.writing)) { result in
            _ = self.judge(result, isWrite: true, isExpected)
        }
    }

    /// Runs a command on a thread; `done` is called once, on any thread.
    private func submit(
        _ command: [[UInt8]], until deadline: NIODeadline,
        done: @escaping @Sendable (Result<RedisReply, RedisFailure>) -> Void
    ) {
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.waiting < Self.mostWaiting else { return false }
            state.waiting += 1
            return true
        }
        guard isTaken else { return done(.failure(.notAsked)) }
        threads.submit { work in
            self.state.withLock { $0.waiting -= 1 }
            guard case .active = work else { return done(.failure(.notAsked)) }
            do throws(RedisFailure) {
                done(.success(try self.run(command, until: deadline)))
            } catch {
                done(.failure(error))
            }
        }
    }

    /// Runs a command on a connection that rested, or on a new one where there is none, or none that is still there.
    private func run(_ command: [[UInt8]], until deadline: NIODeadline) throws(RedisFailure) -> RedisReply {
        while let connection = nextResting() {
            guard connection.isQuiet else { continue }
            do throws(RedisFailure) {
                return try run(command, on: connection, until: deadline)
            } catch .gone {
                continue
            }
        }
        let connection = try connect()
        return try run(command, on: connection, until: deadline)
    }

    private func run(
        _ command: [[UInt8]], on connection: RedisConnection, until deadline: NIODeadline
    ) throws(RedisFailure) -> RedisReply {
        guard NIODeadline.now() < deadline else {
            // Whoever asked is gone; the next one finds it ready.
            rest(connection)
            throw .late
        }
        let reply = try connection.ask(command, until: deadline)
        rest(connection)
        return reply
    }

    private func connect() throws(RedisFailure) -> RedisConnection {
        try RedisConnection.connect(to: address, until: .now() + TimeAmount(options.connecting))
    }

    private func nextResting() -> RedisConnection? {
        state.withLock { $0.resting.popLast() }
    }

    private func rest(_ connection: RedisConnection) {
        state.withLock { if !$0.isClosed { $0.resting.append(connection) } }
    }

    // MARK: Health

    private func fail(_ failure: RedisFailure) {
        // That is nothing against Redis.
        guard failure != .notAsked else { return counters.skipped.increment() }
        counters.failures.increment()
        guard let attempt = state.withLock({ $0.health.fail() }) else { return }
        logger.warning(
            "the shared cache fails; going on without it",
            metadata: ["address": "\(address)", "reason": "\(failure)"])
        counters.circuit.record(1)
        tryLater(attempt)
    }

    /// Notes that Redis took nothing, which is nothing against its answers.
    private func complain(_ error: String) {
        counters.failures.increment()
        guard state.withLock({ $0.health.refuse(at: .now()) }) else { return }
        logger.warning(
            "the shared cache takes nothing; going on with what it has",
            metadata: ["address": "\(address)", "reason": "\(RedisFailure.refused(error))"])
    }

    private func tryLater(_ attempt: Int) {
        var generator = SystemRandomNumberGenerator()
        let pause = CacheHealth.trials.delay(before: attempt, retryAfter: nil, using: &generator)
        NIOSingletons.posixEventLoopGroup.any().scheduleTask(in: TimeAmount(pause)) { [weak self] in
            guard let self, !self.state.withLock({ $0.isClosed }) else { return }
            self.threads.submit { [weak self] work in
                guard case .active = work else { return }
                self?.tryNow()
            }
        }
    }

    /// Asks Redis as whoever comes next would: an answer that is late is none. Blocks.
    func tryNow() {
        // What rested through this is of no use; a new one beside it would be one too many.
        state.withLock { $0.resting = [] }
        var isAlive = false
        do throws(RedisFailure) {
            let connection = try connect()
            let reply = try connection.ask([Array("PING".utf8)], until: .now() + TimeAmount(options.patience))
            isAlive = reply == .status
            if isAlive { rest(connection) }
        } catch {
            logger.debug("the shared cache still fails", metadata: ["reason": "\(error)"])
        }
        if let next = state.withLock({ $0.health.tried(isAlive: isAlive) }) { return tryLater(next) }
        counters.circuit.record(0)
        logger.notice("the shared cache answers again", metadata: ["address": "\(address)"])
    }
}
