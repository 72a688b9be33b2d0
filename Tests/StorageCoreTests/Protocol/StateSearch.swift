/// A search through every state that can be reached, the nearest first.
struct StateSearch {
    /// What a search found.
    struct Result {
        /// How many states were reached, those that differ only in who is who counted once.
        let states: Int
        /// Where an invariant does not hold, the shortest way there; each line a step and what it left.
        let trace: [String]?

        var holds: Bool { trace == nil }
    }

    private let model: BlobProtocol
    private let invariants: [Invariant]
    private var states: [ProtocolState] = []
    /// For each state the one that it was reached from.
    private var origins: [Int] = []
    private var seen: Set<ProtocolState> = []

    private init(_ model: BlobProtocol, _ invariants: [Invariant]) {
        self.model = model
        self.invariants = invariants
    }

    /// Looks for a state in which one of the invariants does not hold.
    static func run(_ model: BlobProtocol, for invariants: [Invariant] = Invariant.allCases) -> Result {
        var search = StateSearch(model, invariants)
        return search.run()
    }

    private mutating func run() -> Result {
        add(model.start, from: 0)
        var index = 0
        while index < states.count {
            let state = states[index]
            for invariant in invariants where !model.holds(invariant, in: state) {
                return Result(states: states.count, trace: trace(to: index) + ["violated: \(invariant)"])
            }
            model.forEachStep(from: state) { _, next in add(next, from: index) }
            index += 1
        }
        return Result(states: states.count, trace: nil)
    }

    private mutating func add(_ state: ProtocolState, from origin: Int) {
        guard seen.insert(state.canonical(for: model.cast)).inserted else { return }
        states.append(state)
        origins.append(origin)
    }

    /// Which step led from each state to the next is found out only for those that are told.
    private func trace(to last: Int) -> [String] {
        var way = [last]
        while let index = way.last, index != 0 { way.append(origins[index]) }
        way.reverse()
        return zip(way, way.dropFirst()).map { before, after in
            var line = ""
            model.forEachStep(from: states[before]) { step, next in
                if next == states[after] { line = "\(step) → \(model.describe(next))" }
            }
            return line
        }
    }
}

extension BlobProtocol {
    /// What the database and the store hold.
    func describe(_ state: ProtocolState) -> String {
        let lives = (0..<cast.generations).compactMap { generation -> String? in
            let life = state[life: generation]
            guard life.row != .none || life.hasBytes else { return nil }
            return "\(generation) \(life.row)\(life.isReleased ? " released" : "")\(life.hasBytes ? " with bytes" : "")"
        }
        let files = (0..<cast.writers).map { index in
            let revisions = [state[writer: index].current, state[writer: index].older].filter { $0 != .none }
            return "[" + revisions.map { $0.generation.map(String.init) ?? "other" }.joined(separator: " ") + "]"
        }
        return "lives: \(lives.joined(separator: ", ")); files: \(files.joined())"
    }
}
