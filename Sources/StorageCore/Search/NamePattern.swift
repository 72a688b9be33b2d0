/// What is looked for in names: a text, and the regular expression that it is as well where it has operators in it and their form.
public struct NamePattern: Sendable {
    /// The longest pattern, in bytes.
    public static let maximumBytes = 256

    /// The bytes as they were given; none for any name.
    let text: [UInt8]
    /// Nil where the text is none, or has no operators.
    let expression: RegularExpression?

    /// Matches every name.
    public static let any = NamePattern()

    private init() {
        text = []
        expression = nil
    }

    /// Reads a pattern.
    ///
    /// `*.txt` and `notes (1` are no POSIX extended regular expressions: such a text is no more than that.
    ///
    /// - Throws: ``StorageError/Code/unprocessable``, which names the field `query`, for one that is too long, is not UTF-8, or is an
    ///   expression that repeats too much.
    public init(_ text: [UInt8]) throws {
        guard text.count <= Self.maximumBytes else {
            throw StorageError(.unprocessable, "query: must not be longer than \(Self.maximumBytes) bytes.")
        }
        guard let characters = String(validating: text, as: UTF8.self) else {
            throw StorageError(.unprocessable, "query: must be valid UTF-8.")
        }
        self.text = text
        let hasOperators = text.contains { Self.operators.contains($0) }
        let node = hasOperators ? try? ExpressionParser.parse(characters) : nil
        expression = try node.map { try RegularExpression($0) }
    }

    private static let operators = Set("\\^$.[|()*+?{".utf8)

    /// Those of some names that match, by their places.
    func matches(_ names: [ArraySlice<UInt8>]) -> [Bool] {
        guard let expression else { return names.map { $0.hasRun(text) } }
        return zip(names, expression.matches(names)).map { name, isFound in isFound || name.hasRun(text) }
    }
}
