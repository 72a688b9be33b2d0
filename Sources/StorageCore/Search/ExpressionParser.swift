/// Reads a POSIX extended regular expression (POSIX.1-2024 XBD 9.4).
///
/// Where the standard leaves a form undefined it is refused, an empty alternative and an empty group excepted, which match nothing:
/// an escape of a letter or digit, so that nobody takes `\d` for what it is elsewhere, and `\1`, for which there is no fast way to
/// match; a repetition of nothing; a parenthesis or bracket without its other half.
struct ExpressionParser {
    /// How deep groups and repetitions may nest.
    static let maximumDepth = 32
    /// How often `{}` may ask for something.
    static let maximumCount = 255

    private let scalars: [UInt32]
    private var position = 0
    private var depth = 0

    private init(_ text: String) {
        scalars = text.unicodeScalars.map(\.value)
    }

    /// The parts of an expression.
    ///
    /// - Throws: ``StorageError/Code/unprocessable``, which names the field `query`.
    static func parse(_ text: String) throws -> ExpressionNode {
        var parser = ExpressionParser(text)
        let node = try parser.choice()
        // Only a closing parenthesis ends a choice early.
        guard parser.peek == nil else { throw refusal("has a ) without its (") }
        return node
    }

    static func refusal(_ what: String) -> StorageError {
        StorageError(.unprocessable, "query: \(what); for text that has operators in it, escape them by a backslash.")
    }

    private var peek: UInt32? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == character.value else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws -> ExpressionNode {
        var branches = [try branch()]
        while take("|") { branches.append(try branch()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func branch() throws -> ExpressionNode {
        var parts: [ExpressionNode] = []
        while let next = peek, next != "|", next != ")" { parts.append(try piece(next)) }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// - Parameter next: The character that it begins with.
    private mutating func piece(_ next: UInt32) throws -> ExpressionNode {
        // What stands by itself is never repeated: `^*` is refused by the next round.
        if take("^") { return .start }
        if take("$") { return .end }
        var node = try atom(next)
        var nesting = depth
        while let (least, most) = try repetition() {
            nesting += 1
            guard nesting <= Self.maximumDepth else { throw Self.tooDeep }
            node = .repeated(node, least: least, most: most)
        }
        return node
    }

    private mutating func atom(_ next: UInt32) throws -> ExpressionNode {
        if take("(") {
            depth += 1
            guard depth <= Self.maximumDepth else { throw Self.tooDeep }
            let node = try choice()
            guard take(")") else { throw Self.refusal("has a ( without its )") }
            depth -= 1
            return node
        }
        if take("[") { return .one(try set()) }
        if take(".") { return .one(.all) }
        if take("\\") { return try escaped() }
        for repetition in ["*", "+", "?", "{"] as [Unicode.Scalar] where next == repetition {
            throw Self.refusal("has a \(repetition) with nothing before it to repeat")
        }
        position += 1
        return .one(ScalarSet([next...next]))
    }

    private mutating func escaped() throws -> ExpressionNode {
        guard let character = peek else { throw Self.refusal("ends in a backslash") }
        let punctuation = ScalarSet(ScalarSet.ranges(ofClass: "punct") ?? [])
        guard punctuation.contains(character) else {
            throw Self.refusal("has a backslash before a character that needs none")
        }
        position += 1
        return .one(ScalarSet([character...character]))
    }

    private static let tooDeep = refusal("has groups or repetitions nested deeper than \(maximumDepth)")
}

extension ExpressionParser {
    /// How often what stands before is to come; nil where nothing is said of it.
    private mutating func repetition() throws -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard take("{") else { return nil }
        let least = try number()
        guard take(",") else {
            guard let least, take("}") else { throw Self.badCount }
            return (least, least)
        }
        let most = try number()
        guard take("}"), least ?? 0 <= most ?? .max, least != nil || most != nil else { throw Self.badCount }
        return (least ?? 0, most)
    }

    private mutating func number() throws -> Int? {
        var number: Int?
        while let digit = peek, (0x30...0x39).contains(digit) {
            position += 1
            let value = (number ?? 0) * 10 + Int(digit - 0x30)
            guard value <= Self.maximumCount else { throw Self.badCount }
            number = value
        }
        return number
    }

    private static let badCount = refusal("has a { that is not {n}, {n,} or {n,m} with numbers up to \(maximumCount)")
}

extension ExpressionParser {
    /// What stands in brackets, behind the first (XBD 9.3.5); without equivalence classes and collating symbols.
    private mutating func set() throws -> ScalarSet {
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        repeat {
            if isAhead("[:") {
                ranges += try namedClass()
            } else {
                let first = try element(isFirst: ranges.isEmpty)
                ranges.append(first...(try rangeEnd(from: first) ?? first))
            }
        } while !take("]")
        return ScalarSet(ranges, isNegated: isNegated)
    }

    private func isAhead(_ text: String) -> Bool {
        scalars[position...].starts(with: text.unicodeScalars.lazy.map(\.value))
    }

    private mutating func element(isFirst: Bool) throws -> UInt32 {
        guard let character = peek else { throw Self.unclosed }
        guard !isAhead("[="), !isAhead("[.") else {
            throw Self.refusal("has an equivalence class or collating symbol in brackets, which are not known here")
        }
        // A hyphen is itself at either end, and as the end of a range.
        guard character != "-" || isFirst || isAhead("-]") else {
            throw Self.refusal("has a - in brackets that is neither first nor last nor between two characters")
        }
        position += 1
        return character
    }

    private mutating func rangeEnd(from first: UInt32) throws -> UInt32? {
        guard isAhead("-"), !isAhead("-]") else { return nil }
        position += 1
        guard let last = peek else { throw Self.unclosed }
        guard !isAhead("[:"), !isAhead("[="), !isAhead("[."), last >= first else {
            throw Self.refusal("has a range in brackets that does not go from a lower to a higher character")
        }
        position += 1
        return last
    }

    private mutating func namedClass() throws -> [ClosedRange<UInt32>] {
        position += 2
        var name = String.UnicodeScalarView()
        while let character = peek, let letter = Unicode.Scalar(character), letter != ":" {
            name.append(letter)
            position += 1
        }
        guard isAhead(":]"), let ranges = ScalarSet.ranges(ofClass: String(name)) else {
            throw Self.refusal("has a [: in brackets that no class of POSIX follows, such as [:digit:]")
        }
        position += 2
        guard !(isAhead("-") && !isAhead("-]")) else { throw Self.refusal("has a class at the end of a range") }
        return ranges
    }

    private static let unclosed = refusal("has a [ without its ]")
}

/// A character written as a literal is compared by its number.
private func == (number: UInt32, character: Unicode.Scalar) -> Bool { number == character.value }

private func != (number: UInt32, character: Unicode.Scalar) -> Bool { number != character.value }
