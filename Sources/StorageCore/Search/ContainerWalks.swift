import NIOCore
import Synchronization

/// Lets the long walks through containers take their steps, a few at a time and in the order in which they ask.
///
/// However many there are, the database sees no more than these few at once, and every walk goes on: none waits for the whole of
/// another, and none that has begun is refused. Expressions are matched on a thread of their own.
final class ContainerWalks: Sendable {
    /// How many may be under way: each keeps what it found, which is up to a few megabytes.
    static let mostAtOnce = 128
    /// How many of them may go through the same container.
    static let mostThroughOne = 16
    /// How many take a step at once.
    private static let width = 2
    /// How many names are matched in one piece: even the worst expression is done with them within a fraction of a second.
    private static let batch = 100

    /// A walk that was admitted; over with its last reference.
    final class Walk: Sendable {
        private let walks: ContainerWalks
        private let place: SharedPlaces<ContainerID>.Place
        private let isWanted: @Sendable () -> Bool

        fileprivate init(
            _ walks: ContainerWalks, _ place: SharedPlaces<ContainerID>.Place,
            _ isWanted: @escaping @Sendable () -> Bool
        ) {
            self.walks = walks
            self.place = place
            self.isWanted = isWanted
        }

        /// Takes a step of the walk, something that ends soon, when its turn has come.
        ///
        /// - Throws: what the step throws; `CancellationError` where nobody waits for the walk any more.
        func step<Result>(_ body: () async throws -> Result) async throws -> Result {
            await walks.enter()
            defer { walks.leave() }
            try Task.checkCancellation()
            guard isWanted() else { throw CancellationError() }
            return try await body()
        }
    }

    private struct State {
        var free = width
        var waiting = CircularBuffer<CheckedContinuation<Void, Never>>()
        var pool: BlockingPool?
    }

    private let places = SharedPlaces<ContainerID>(mostAtOnce, share: mostThroughOne)
    private let state = Mutex(State())

    /// Admits a walk through a container.
    ///
    /// - Parameter isWanted: Whether somebody still waits for it; asked before every step.
    /// - Throws: ``StorageError/Code/unavailable`` where too many are under way.
    func begin(
        through container: ContainerID, while isWanted: @escaping @Sendable () -> Bool = { true }
    ) throws -> Walk {
        guard let place = places.take(for: container) else {
            throw StorageError(
                .unavailable, "Too many searches are under way. Try again a little later.", isTransient: true,
                retryAfter: .seconds(5))
        }
        return Walk(self, place, isWanted)
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state in
            if state.waiting.isEmpty { state.free += 1 }
            return state.waiting.popFirst()
        }
        next?.resume()
    }

    /// Those of some files whose names match.
    func files(_ files: [FileRecord], matching pattern: NamePattern) async throws -> [FileRecord] {
        // A text is found by the store.
        guard pattern.expression != nil else { return files }
        let pool = state.withLock { state in
            let pool = state.pool ?? BlockingPool(threads: 1, queue: Self.width)
            state.pool = pool
            return pool
        }
        var found: [FileRecord] = []
        var rest = files[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Self.batch)
            rest = rest.dropFirst(Self.batch)
            // A step is taken by as few as the pool has room for.
            found += try await pool.runRegardless {
                zip(batch, pattern.matches(batch.map(\.path.name))).compactMap { $1 ? $0 : nil }
            }
        }
        return found
    }
}
