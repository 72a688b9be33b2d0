/// Collects the header lines of one part within their limits, from bytes that arrive in pieces of any size.
struct PartHeadLines: Sendable {
    /// The most headers of one part.
    static let maximumFields = 16
    /// The most bytes of all headers of one part, line ends included.
    static let maximumBytes = 8 * 1024

    private var line: [UInt8] = []
    private var fields: [PartHead.Field] = []
    private var byteCount = 0

    /// Takes bytes up to the end of one line; nil while the headers go on, the head behind the empty line that ends them.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(ParseError) -> PartHead? {
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            byteCount &+= 1
            guard byteCount <= Self.maximumBytes else {
                throw ParseError(
                    .invalidMultipart, "The headers of a part may have at most \(Self.maximumBytes) bytes.")
            }
            guard byte == ASCII.lineFeed else {
                line.append(byte)
                continue
            }
            guard line.popLast() == ASCII.carriageReturn else {
                throw ParseError(.invalidMultipart, "The header lines of a part must end in CR LF.")
            }
            if line.isEmpty { return try PartHead(fields: fields) }
            fields.append(try field())
            line.removeAll(keepingCapacity: true)
        }
        return nil
    }

    private func field() throws(ParseError) -> PartHead.Field {
        guard fields.count < Self.maximumFields else {
            throw ParseError(.invalidMultipart, "A part may have at most \(Self.maximumFields) headers.")
        }
        let name = line.prefix { $0 != ASCII.colon }
        let value = ASCII.trimmed(line.dropFirst(name.count &+ 1))
        guard name.isEmpty == false, name.count < line.count, name.allSatisfy(ASCII.isToken),
            value.allSatisfy({ $0 == ASCII.tab || ASCII.isControl($0) == false })
        else {
            throw ParseError(
                .invalidMultipart, "A part has a malformed header line; each is a name, a colon and a value.")
        }
        return PartHead.Field(name: ASCII.lowercased(name), value: Array(value))
    }
}
