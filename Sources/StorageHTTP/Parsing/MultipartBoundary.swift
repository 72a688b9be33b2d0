/// The boundary that separates the parts of a `multipart/form-data` body (RFC 2046 section 5.1.1).
struct MultipartBoundary: Equatable, Sendable {
    /// 1–70 bytes of printable ASCII that do not end in a space.
    let bytes: [UInt8]

    static let maximumBytes = 70
    /// The longest `Content-Type` that is read.
    static let maximumHeaderBytes = 1_024

    /// True when a `Content-Type` says `multipart/form-data`, whatever follows.
    static func isFormData(contentType: String) -> Bool {
        guard contentType.utf8.count <= maximumHeaderBytes else { return false }
        var cursor = ByteCursor(contentType)
        return consumeType(&cursor)
    }

    /// Reads the boundary out of a `Content-Type`, quoted or not.
    init(contentType: String) throws(ParseError) {
        guard contentType.utf8.count <= Self.maximumHeaderBytes else { throw Self.malformed }
        var cursor = ByteCursor(contentType)
        guard Self.consumeType(&cursor), let parameters = HeaderParameters(&cursor, dialect: .formData),
            let bytes = parameters["boundary"]
        else { throw Self.malformed }
        try self.init(bytes: bytes)
    }

    init(bytes: [UInt8]) throws(ParseError) {
        guard (1...Self.maximumBytes).contains(bytes.count), bytes.last != ASCII.space,
            bytes.allSatisfy({ $0 >= ASCII.space && $0 < 0x7F })
        else { throw Self.malformed }
        self.bytes = bytes
    }

    private static func consumeType(_ cursor: inout ByteCursor) -> Bool {
        cursor.skipBlanks()
        let type = cursor.take { ASCII.isToken($0) || $0 == ASCII.slash }
        return ASCII.equals(type, lowercase: "multipart/form-data")
    }

    private static let malformed = ParseError(
        .invalidMultipart,
        "Content-Type must be multipart/form-data with a boundary of 1 to 70 printable ASCII characters.")
}
