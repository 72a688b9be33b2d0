/// A POSIX extended regular expression that is looked for in names, character by character as Unicode scalars: neither case nor
/// composition is folded.
///
/// Matched by following all ways through it at once (Thompson 1968): the time is at most the product of its size and the length of
/// the name, times a few steps for what stands in brackets, and the memory its size, whoever wrote it. What libc does instead remembers every set of ways that it met and never lets
/// go of them: a hundred bytes of an expression take tens of megabytes a name.
struct RegularExpression: Sendable {
    /// The most instructions that an expression may become.
    static let maximumCost = 1_000

    private enum Instruction: Sendable {
        /// Takes one character and goes on.
        case take(ScalarSet)
        /// Goes on where the name begins.
        case start
        /// Goes on where the name ends.
        case end
        /// Goes two ways.
        case split(Int, Int)
        case jump(Int)
        case match
    }

    private var program: [Instruction] = []

    /// Reads an expression.
    ///
    /// - Throws: ``StorageError/Code/unprocessable``, which names the field `query`.
    init(_ text: String) throws {
        try self.init(try ExpressionParser.parse(text))
    }

    /// Makes an expression of its parts.
    ///
    /// - Throws: ``StorageError/Code/unprocessable``, which names the field `query`, for one that repeats too much.
    init(_ node: ExpressionNode) throws {
        guard node.cost <= Self.maximumCost else {
            throw ExpressionParser.refusal("repeats too much to be looked for")
        }
        add(node)
        program.append(.match)
    }

    private mutating func add(_ node: ExpressionNode) {
        switch node {
        case .empty: break
        case .one(let set): program.append(.take(set))
        case .start: program.append(.start)
        case .end: program.append(.end)
        case .sequence(let nodes): for node in nodes { add(node) }
        case .choice(let nodes): add(choice: nodes)
        case .repeated(let node, let least, let most):
            for _ in 0..<least { add(node) }
            if let most {
                for _ in least..<max(least, most) { add(optional: node) }
            } else {
                add(anyNumberOf: node)
            }
        }
    }

    private mutating func add(choice nodes: [ExpressionNode]) {
        var ends: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard index < nodes.count - 1 else {
                add(node)
                break
            }
            let split = program.count
            program.append(.split(split + 1, 0))
            add(node)
            ends.append(program.count)
            program.append(.jump(0))
            program[split] = .split(split + 1, program.count)
        }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func add(optional node: ExpressionNode) {
        let split = program.count
        program.append(.split(split + 1, 0))
        add(node)
        program[split] = .split(split + 1, program.count)
    }

    private mutating func add(anyNumberOf node: ExpressionNode) {
        let split = program.count
        program.append(.split(split + 1, 0))
        add(node)
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
    }

    /// Those of some names that it is found in, by their places.
    func matches(_ names: [ArraySlice<UInt8>]) -> [Bool] {
        var ways = Ways(count: program.count)
        return names.map { name in
            isFound(in: String(decoding: name, as: UTF8.self).unicodeScalars.map(\.value), &ways)
        }
    }

    /// The ways that are followed at once.
    private struct Ways {
        /// Instructions that take the character at this place.
        var here: [Int] = []
        /// Those that take the character behind it.
        var next: [Int] = []
        /// The last round in which an instruction was come to.
        var seen: [Int]
        var round = 0
        var open: [Int] = []

        init(count: Int) {
            seen = Array(repeating: 0, count: count)
        }

        mutating func advance() {
            swap(&here, &next)
            next.removeAll(keepingCapacity: true)
            round += 1
        }
    }

    private func isFound(in name: [UInt32], _ ways: inout Ways) -> Bool {
        ways.advance()
        ways.advance()
        for place in 0...name.count {
            // It may begin anywhere.
            if follow(from: 0, at: place, of: name.count, &ways) { return true }
            guard place < name.count else { break }
            ways.advance()
            for step in ways.here {
                guard case .take(let set) = program[step], set.contains(name[place]) else { continue }
                if follow(from: step + 1, at: place + 1, of: name.count, &ways) { return true }
            }
        }
        return false
    }

    /// Goes on from an instruction as far as no character is taken; whether the end of the expression is come to.
    private func follow(from step: Int, at place: Int, of count: Int, _ ways: inout Ways) -> Bool {
        ways.open.append(step)
        while let step = ways.open.popLast() {
            guard ways.seen[step] != ways.round else { continue }
            ways.seen[step] = ways.round
            switch program[step] {
            case .take: ways.next.append(step)
            case .start: if place == 0 { ways.open.append(step + 1) }
            case .end: if place == count { ways.open.append(step + 1) }
            case .split(let one, let other):
                ways.open.append(other)
                ways.open.append(one)
            case .jump(let target): ways.open.append(target)
            case .match:
                ways.open.removeAll(keepingCapacity: true)
                return true
            }
        }
        return false
    }
}
