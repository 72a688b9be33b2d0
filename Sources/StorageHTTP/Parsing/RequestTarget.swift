/// The target of a request line, split into its raw path and raw query (RFC 9112 section 3.2).
///
/// Nothing is decoded at first: a router compares raw segments, and what a client named is decoded once, here, by
/// `segments()`, `rest(afterSegments:)` or `parameters()`. The decoded bytes may hold NUL, `..` or invalid UTF-8; refusing
/// those is the work of the one function that checks paths.
struct RequestTarget: Equatable, Sendable {
    /// The path as it was sent, starting with `/`, or `*` alone.
    let path: [UInt8]
    /// What follows the first `?` as it was sent; nil when there is none.
    let query: [UInt8]?

    /// Splits `text`: origin-form, absolute-form with the scheme `http` or `https`, or `*`. A fragment is dropped.
    ///
    /// Raw bytes above 0x7F are kept, because common clients send names so. White space and control characters are an
    /// error, and so is a raw U+FFFD: it is what the decoder below puts in the place of invalid UTF-8, so a name with it
    /// is not the name that was sent.
    init(parsing text: String) throws(ParseError) {
        var bytes = Array(text.utf8)[...]
        guard bytes.allSatisfy({ $0 > ASCII.space && $0 != 0x7F }) else {
            throw ParseError(
                .invalidTarget, "The request target has white space or control characters; percent-encode them.")
        }
        guard Self.hasReplacementCharacter(bytes) == false else {
            throw ParseError(.invalidTarget, "The request target is not valid UTF-8; percent-encode its bytes.")
        }
        if let fragment = bytes.firstIndex(of: 0x23) { bytes = bytes[..<fragment] }
        var rawQuery: [UInt8]?
        if let mark = bytes.firstIndex(of: 0x3F) {
            rawQuery = Array(bytes[(mark &+ 1)...])
            bytes = bytes[..<mark]
        }
        query = rawQuery
        if bytes.first == ASCII.slash || bytes.elementsEqual([ASCII.asterisk]) {
            path = Array(bytes)
        } else {
            path = try Self.pathOfAbsoluteForm(bytes)
        }
    }

    /// The segments of the path, each decoded by itself, so that an escaped `/` never separates two of them.
    ///
    /// Empty segments are kept, those behind a trailing slash too: `/a//b/` has the segments `a`, empty, `b`, empty.
    func segments() throws(ParseError) -> [[UInt8]] {
        var decoded: [[UInt8]] = []
        for segment in path.dropFirst().split(separator: ASCII.slash, omittingEmptySubsequences: false) {
            decoded.append(try Self.decoded(segment))
        }
        return decoded
    }

    /// Everything behind the first `count` non-empty segments and one slash, decoded as one name; nil when the path
    /// has fewer segments or ends right behind them without a slash.
    ///
    /// Behind the two segments of `/api/files/a/b.txt` and `/api/files/a%2Fb.txt` comes `a/b.txt`. Empty segments before
    /// and between the counted ones are passed over; those behind stay for the path check to refuse.
    func rest(afterSegments count: Int) throws(ParseError) -> [UInt8]? {
        var index = path.startIndex
        for _ in 0..<max(count, 0) {
            while index < path.endIndex, path[index] == ASCII.slash { index &+= 1 }
            guard index < path.endIndex else { return nil }
            while index < path.endIndex, path[index] != ASCII.slash { index &+= 1 }
        }
        guard index < path.endIndex, path[index] == ASCII.slash else { return nil }
        return try Self.decoded(path[(index &+ 1)...])
    }

    /// The whole path, decoded once.
    func decodedPath() throws(ParseError) -> [UInt8] {
        try Self.decoded(path[...])
    }

    /// The query as form-encoded names and values, in the order they were sent.
    func parameters() throws(ParseError) -> FormURLEncoded {
        try FormURLEncoded(parsing: query ?? [], from: .query)
    }

    private static func decoded(_ raw: ArraySlice<UInt8>) throws(ParseError) -> [UInt8] {
        guard let decoded = PercentEncoding.decode(raw) else {
            throw ParseError(
                .invalidTarget, "The path has a % that is not followed by two hex digits; write a percent sign as %25.")
        }
        return decoded
    }

    private static func pathOfAbsoluteForm(_ bytes: ArraySlice<UInt8>) throws(ParseError) -> [UInt8] {
        let scheme = bytes.prefix { $0 != ASCII.colon }
        let known = ASCII.equals(scheme, lowercase: "http") || ASCII.equals(scheme, lowercase: "https")
        let rest = bytes.dropFirst(scheme.count)
        guard known, rest.starts(with: [ASCII.colon, ASCII.slash, ASCII.slash]) else {
            throw ParseError(.invalidTarget, "The request target must be a path that starts with /, or an http URL.")
        }
        let afterScheme = rest.dropFirst(3)
        let authority = afterScheme.prefix { $0 != ASCII.slash }
        guard authority.isEmpty == false else {
            throw ParseError(.invalidTarget, "The URL in the request line has no host.")
        }
        let path = afterScheme.dropFirst(authority.count)
        return path.isEmpty ? [ASCII.slash] : Array(path)
    }

    private static func hasReplacementCharacter(_ bytes: ArraySlice<UInt8>) -> Bool {
        var previous: (UInt8, UInt8) = (0, 0)
        for byte in bytes {
            if byte == 0xBD, previous.1 == 0xBF, previous.0 == 0xEF { return true }
            previous = (previous.1, byte)
        }
        return false
    }
}
