/// Names and values in `application/x-www-form-urlencoded`, of a query or of a body, in the order they were sent.
///
/// `+` is a space, every escape is decoded once, names without `=` have an empty value. Names and values are bytes; `text`
/// is for those that must be UTF-8.
struct FormURLEncoded: Equatable, Sendable {
    struct Pair: Equatable, Sendable {
        let name: [UInt8]
        let value: [UInt8]
    }

    /// Where the pairs come from, for the words of an error.
    enum Source: Sendable {
        case query
        case body
    }

    /// The largest body that is read.
    static let maximumBodyBytes = 16 * 1024
    /// The most pairs that are read.
    static let maximumPairs = 256

    let pairs: [Pair]
    private let source: Source

    init(parsing bytes: [UInt8], from source: Source) throws(ParseError) {
        self.source = source
        if source == .body, bytes.count > Self.maximumBodyBytes {
            throw ParseError(.tooLarge, "A form may have at most \(Self.maximumBodyBytes) bytes.")
        }
        var pairs: [Pair] = []
        for piece in bytes.split(separator: 0x26, omittingEmptySubsequences: true) {
            guard pairs.count < Self.maximumPairs else {
                throw Self.error(source, "more than \(Self.maximumPairs) parameters; send fewer")
            }
            let rawName = piece.prefix { $0 != ASCII.equals }
            guard let name = PercentEncoding.decode(rawName, plusIsSpace: true),
                let value = PercentEncoding.decode(piece.dropFirst(rawName.count).dropFirst(), plusIsSpace: true)
            else {
                throw Self.error(source, "a % that is not followed by two hex digits; write a percent sign as %25")
            }
            pairs.append(Pair(name: name, value: value))
        }
        self.pairs = pairs
    }

    /// True when a parameter of that name was sent, even with an empty value.
    func contains(_ name: String) -> Bool {
        pairs.contains { $0.name.elementsEqual(name.utf8) }
    }

    /// The value of the parameter `name`, nil when it was not sent. One that was sent twice is an error: two readers of
    /// the same request must never see different values.
    func value(_ name: String) throws(ParseError) -> [UInt8]? {
        var found: [UInt8]?
        for pair in pairs where pair.name.elementsEqual(name.utf8) {
            guard found == nil else {
                throw Self.error(source, "the parameter '\(name)' more than once; send it once")
            }
            found = pair.value
        }
        return found
    }

    /// The value of the parameter `name` as text; an error when it is not valid UTF-8.
    func text(_ name: String) throws(ParseError) -> String? {
        guard let value = try value(name) else { return nil }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw Self.error(source, "a value of '\(name)' that is not valid UTF-8; percent-encode its UTF-8 bytes")
        }
        return text
    }

    private static func error(_ source: Source, _ what: String) -> ParseError {
        switch source {
        case .query: ParseError(.invalidQuery, "The query has \(what).")
        case .body: ParseError(.invalidForm, "The form has \(what).")
        }
    }
}
