/// The value of `Accept-Encoding` (RFC 9110 section 12.5.3).
enum AcceptEncoding {
    /// The longest header, all lines together, that is read.
    static let maximumBytes = 1_024

    /// Whether gzip is welcome: named, or meant by `*`, with a weight above zero and not below that of the content as it is.
    ///
    /// What cannot be read is passed over: a client that gets the content as it is can always read it.
    static func welcomesGzip(_ values: [String]) -> Bool {
        guard !values.isEmpty, values.reduce(0, { $0 &+ $1.utf8.count }) <= maximumBytes else { return false }
        var gzip: Int?
        var identity: Int?
        var others: Int?
        for value in values {
            for member in value.utf8.split(separator: ASCII.comma) {
                var cursor = ByteCursor(Array(member))
                cursor.skipBlanks()
                let coding = ASCII.lowercased(cursor.take(while: ASCII.isToken))
                guard let weight = weight(&cursor) else { continue }
                switch String(decoding: coding, as: UTF8.self) {
                case "gzip", "x-gzip": gzip = max(gzip ?? 0, weight)
                case "identity": identity = weight
                case "*": others = weight
                default: break
                }
            }
        }
        let wanted = gzip ?? others ?? 0
        return wanted > 0 && wanted >= identity ?? 0
    }

    /// The weight behind a coding in thousandths (RFC 9110 section 12.4.2), 1,000 where there is none; nil when it is malformed.
    private static func weight(_ cursor: inout ByteCursor) -> Int? {
        cursor.skipBlanks()
        if cursor.isAtEnd { return 1_000 }
        guard cursor.consume(ASCII.semicolon) else { return nil }
        cursor.skipBlanks()
        guard cursor.consume("q=") || cursor.consume("Q="), let whole = cursor.digits(1), whole <= 1 else { return nil }
        var weight = whole * 1_000
        if cursor.consume(ASCII.dot) {
            let digits = cursor.take(while: ASCII.isDigit)
            guard digits.count <= 3 else { return nil }
            var unit = 100
            for digit in digits {
                weight += Int(digit - ASCII.zero) * unit
                unit /= 10
            }
        }
        cursor.skipBlanks()
        return cursor.isAtEnd && weight <= 1_000 ? weight : nil
    }
}
