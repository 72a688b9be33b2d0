/// The one form of a request that both sides compute and whose digest is signed.
struct CanonicalRequest {
    /// The form itself: method, path, query, headers, their names and the hash of the body, a line each.
    let bytes: [UInt8]
    /// The names of the headers in it, in order, with semicolons between.
    let signedHeaders: String

    init(_ request: S3Request, payload: String) {
        let headers = Self.canonicalHeaders(of: request)
        let names = Array(headers.map(\.name).joined(separator: [UInt8(ascii: ";")]))
        let newline = UInt8(ascii: "\n")
        var text = Array(request.method.rawValue.utf8)
        text.reserveCapacity(512)
        text.append(newline)
        text += request.encodedPath
        text.append(newline)
        request.appendCanonicalQuery(to: &text)
        text.append(newline)
        for header in headers {
            text += header.name
            text.append(UInt8(ascii: ":"))
            text += header.value
            text.append(newline)
        }
        text.append(newline)
        text += names
        text.append(newline)
        text += payload.utf8
        bytes = text
        signedHeaders = String(decoding: names, as: UTF8.self)
    }

    /// Ordered by name; the values of one name in their order, with commas between.
    private static func canonicalHeaders(of request: S3Request) -> [(name: [UInt8], value: [UInt8])] {
        var values: [[UInt8]: [UInt8]] = [Array("host".utf8): trimmed(request.authority)]
        for header in request.headers where !isUnsigned(header) {
            let value = trimmed(header.value)
            let name = header.canonicalName
            if let earlier = values[name] {
                values[name] = earlier + [UInt8(ascii: ",")] + value
            } else {
                values[name] = value
            }
        }
        return values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }

    /// What proxies change on the way or what holds the signature itself.
    private static func isUnsigned(_ header: S3Request.Header) -> Bool {
        let unsigned: [StaticString] = [
            "authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
        ]
        let name = header.canonicalName
        return unsigned.contains { text in text.withUTF8Buffer { name.elementsEqual($0) } }
    }

    /// Without white space at the ends, and with one space for every run of spaces within.
    private static func trimmed(_ value: String) -> [UInt8] {
        var trimmed: [UInt8] = []
        for byte in value.utf8 {
            let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
            if isBlank, trimmed.isEmpty || trimmed.last == UInt8(ascii: " ") { continue }
            trimmed.append(isBlank ? UInt8(ascii: " ") : byte)
        }
        if trimmed.last == UInt8(ascii: " ") { trimmed.removeLast() }
        return trimmed
    }
}
