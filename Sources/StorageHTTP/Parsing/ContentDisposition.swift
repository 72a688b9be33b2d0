/// The `Content-Disposition` of a download (RFC 6266) and of a part of a form (RFC 7578 section 4.2).
struct ContentDisposition: Equatable, Sendable {
    /// The name of the form field.
    let name: [UInt8]
    /// The name of the file as it was sent, nil for a field without one; `filename*` wins over `filename`. Not checked
    /// yet: it may be empty, hold slashes or be invalid UTF-8.
    let filename: [UInt8]?

    /// Reads the header of a form's part; nil when it is malformed or is not `form-data` with a name.
    ///
    /// In `filename` and `name` both ways of writing a quote are undone, `\"` and `%22`. No other percent escape is:
    /// clients that write `%22` leave percent signs alone, so any other may be part of the name.
    init?(formData value: [UInt8]) {
        var cursor = ByteCursor(value)
        cursor.skipBlanks()
        let type = cursor.take(while: ASCII.isToken)
        guard ASCII.equals(type, lowercase: "form-data"),
            let parameters = HeaderParameters(&cursor, dialect: .formData), let name = parameters["name"]
        else { return nil }
        self.name = Self.undoingEscapedQuotes(name)
        let plain = parameters["filename"].map(Self.undoingEscapedQuotes)
        guard let extended = parameters["filename*"] else {
            filename = plain
            return
        }
        guard let decoded = Self.extendedValue(extended) ?? plain else { return nil }
        filename = decoded
    }

    /// `attachment; filename="…"; filename*=UTF-8''…` for a file of that name, to be sent with a download.
    ///
    /// The first is ASCII for old clients, with `_` for whatever they read differently; the second is exact (RFC 8187).
    /// Never has a byte outside printable ASCII, or a quote or backslash within the quotes, whatever the name is.
    static func attachment(_ name: some Collection<UInt8>) -> String {
        header("attachment", name)
    }

    /// The same with `inline`, for types that cannot run script.
    static func inline(_ name: some Collection<UInt8>) -> String {
        header("inline", name)
    }

    private static func header(_ type: StaticString, _ name: some Collection<UInt8>) -> String {
        let isASCII = name.allSatisfy { $0 < 0x80 }
        let name = isASCII ? Array(name) : Array(String(decoding: name, as: UTF8.self).utf8)
        var header: [UInt8] = []
        header.reserveCapacity(64 &+ name.count &* 4)
        type.withUTF8Buffer { header.append(contentsOf: $0) }
        header.append(contentsOf: "; filename=\"".utf8)
        // One underscore for each character outside ASCII: the bytes that go on with one are passed over.
        for byte in name where byte & 0xC0 != 0x80 { header.append(isPlain(byte) ? byte : ASCII.underscore) }
        header.append(contentsOf: "\"; filename*=UTF-8''".utf8)
        for byte in name {
            let exact = ASCII.isControl(byte) || byte == ASCII.slash ? ASCII.underscore : byte
            PercentEncoding.append(exact, to: &header, keeping: isAttributeByte)
        }
        return String(decoding: header, as: UTF8.self)
    }

    /// What every client reads alike within quotes.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.quote, ASCII.backslash, ASCII.percent, ASCII.slash: false
        default: byte >= ASCII.space && byte < 0x7F
        }
    }

    /// `attr-char` of RFC 8187.
    private static func isAttributeByte(_ byte: UInt8) -> Bool {
        ASCII.isToken(byte) && byte != ASCII.asterisk && byte != ASCII.percent && byte != 0x27
    }

    /// The bytes of `UTF-8'language'escaped`; nil when it is malformed or in another charset.
    private static func extendedValue(_ value: [UInt8]) -> [UInt8]? {
        let pieces = value.split(separator: 0x27, maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3, ASCII.equals(pieces[0], lowercase: "utf-8"),
            let decoded = PercentEncoding.decode(pieces[2]), String(validating: decoded, as: UTF8.self) != nil
        else { return nil }
        return decoded
    }

    private static func undoingEscapedQuotes(_ value: [UInt8]) -> [UInt8] {
        guard value.contains(ASCII.percent) else { return value }
        var result: [UInt8] = []
        result.reserveCapacity(value.count)
        var rest = value[...]
        while let byte = rest.popFirst() {
            if byte == ASCII.percent, rest.starts(with: [0x32, 0x32]) {
                result.append(ASCII.quote)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
