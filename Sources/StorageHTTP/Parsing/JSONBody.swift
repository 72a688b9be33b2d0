/// Reads the small JSON objects that requests carry as parameters (RFC 8259, and stricter where readers differ).
///
/// An error: anything but one object at the top, a repeated member, more than `maximumDepth` levels, invalid UTF-8, a lone
/// surrogate, a number that is not finite, and bytes behind the object. A byte order mark before it is passed over.
struct JSONBody {
    /// The largest body that is read.
    static let maximumBytes = 16 * 1024
    /// How deep arrays and objects may nest.
    static let maximumDepth = 32

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The members of the object that `bytes` holds.
    static func parse(_ bytes: [UInt8]) throws(ParseError) -> JSONObject {
        guard bytes.count <= maximumBytes else {
            throw ParseError(.tooLarge, "A JSON body may have at most \(maximumBytes) bytes.")
        }
        var body = JSONBody(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { body.position = 3 }
        body.skipWhitespace()
        guard body.peek == 0x7B else { throw body.error("must be one JSON object") }
        guard case .object(let object) = try body.value() else { throw body.error("must be one JSON object") }
        body.skipWhitespace()
        guard body.position == bytes.count else { throw body.error("has something behind its closing brace") }
        return object
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ what: String) -> ParseError {
        ParseError(.invalidJSON, "The JSON body \(what) (at byte \(position)).")
    }

    private mutating func skipWhitespace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position &+= 1 }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position &+= 1
        return true
    }

    private mutating func consume(_ word: StaticString) -> Bool {
        word.withUTF8Buffer { expected in
            guard bytes[position...].starts(with: expected) else { return false }
            position &+= expected.count
            return true
        }
    }

    private mutating func value() throws(ParseError) -> JSONValue {
        guard let byte = peek else { throw error("ends too early") }
        switch byte {
        case 0x7B: return .object(try object())
        case 0x5B: return .array(try array())
        case ASCII.quote: return .string(try string())
        case 0x74 where consume("true"): return .bool(true)
        case 0x66 where consume("false"): return .bool(false)
        case 0x6E where consume("null"): return .null
        case ASCII.dash, 0x30...0x39: return try number()
        default: throw error("has something that is not a JSON value")
        }
    }

    private mutating func descend() throws(ParseError) {
        depth &+= 1
        guard depth <= Self.maximumDepth else { throw error("is nested deeper than \(Self.maximumDepth) levels") }
    }

    private mutating func object() throws(ParseError) -> JSONObject {
        try descend()
        defer { depth &-= 1 }
        position &+= 1
        var members: [JSONObject.Member] = []
        var names: Set<[UInt8]> = []
        skipWhitespace()
        if consume(0x7D) { return JSONObject(members: []) }
        while true {
            skipWhitespace()
            guard peek == ASCII.quote else { throw error("has a member without a quoted name") }
            let name = try string()
            guard names.insert(Array(name.utf8)).inserted else { throw error("has a member twice; send it once") }
            skipWhitespace()
            guard consume(ASCII.colon) else { throw error("has a name without a colon behind it") }
            skipWhitespace()
            members.append(.init(name: name, value: try value()))
            skipWhitespace()
            if consume(0x7D) { return JSONObject(members: members) }
            guard consume(ASCII.comma) else { throw error("has an object without its comma or closing brace") }
        }
    }

    private mutating func array() throws(ParseError) -> [JSONValue] {
        try descend()
        defer { depth &-= 1 }
        position &+= 1
        var elements: [JSONValue] = []
        skipWhitespace()
        if consume(0x5D) { return [] }
        while true {
            skipWhitespace()
            elements.append(try value())
            skipWhitespace()
            if consume(0x5D) { return elements }
            guard consume(ASCII.comma) else { throw error("has an array without its comma or closing bracket") }
        }
    }

    private mutating func string() throws(ParseError) -> String {
        position &+= 1
        var content: [UInt8] = []
        while let byte = peek {
            switch byte {
            case ASCII.quote:
                position &+= 1
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw error("has a string that is not valid UTF-8")
                }
                return text
            case ASCII.backslash:
                position &+= 1
                try escape(into: &content)
            case 0..<0x20:
                throw error("has a control character in a string; escape it")
            default:
                content.append(byte)
                position &+= 1
            }
        }
        throw error("ends within a string")
    }

    private mutating func escape(into content: inout [UInt8]) throws(ParseError) {
        guard let byte = peek else { throw error("ends within a string") }
        position &+= 1
        switch byte {
        case ASCII.quote, ASCII.backslash, ASCII.slash: content.append(byte)
        case 0x62: content.append(0x08)
        case 0x66: content.append(0x0C)
        case 0x6E: content.append(0x0A)
        case 0x72: content.append(0x0D)
        case 0x74: content.append(0x09)
        case 0x75:
            var code = try hexUnit()
            if code >= 0xD800, code < 0xDC00, consume("\\u") {
                let low = try hexUnit()
                guard low >= 0xDC00, low < 0xE000 else { throw error("has a lone surrogate in a string") }
                code = 0x10000 &+ ((code &- 0xD800) << 10) &+ (low &- 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("has a lone surrogate in a string") }
            content.append(contentsOf: Array(String(scalar).utf8))
        default:
            throw error("has an unknown escape in a string")
        }
    }

    private mutating func hexUnit() throws(ParseError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek.flatMap(ASCII.hexValue) else { throw error("has a \\u without four hex digits") }
            code = code << 4 | UInt32(digit)
            position &+= 1
        }
        return code
    }

    private mutating func number() throws(ParseError) -> JSONValue {
        let start = position
        let isNegative = consume(ASCII.dash)
        let digits = position
        try digitRun()
        guard bytes[digits] != ASCII.zero || position == digits &+ 1 else {
            throw error("has a number with a leading zero")
        }
        let integerEnd = position
        if consume(ASCII.dot) { try digitRun() }
        if consume(0x65) || consume(0x45) {
            if consume(ASCII.plus) == false { _ = consume(ASCII.dash) }
            try digitRun()
        }
        if position == integerEnd, let value = Self.integer(bytes[digits..<integerEnd], isNegative: isNegative) {
            return .integer(value)
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            throw error("has a number that is too large")
        }
        return .number(value)
    }

    private mutating func digitRun() throws(ParseError) {
        let start = position
        while let byte = peek, ASCII.isDigit(byte) { position &+= 1 }
        guard position > start else { throw error("has a number without digits where they must be") }
    }

    private static func integer(_ digits: ArraySlice<UInt8>, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for byte in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte &- ASCII.zero)
            let (sum, carry) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }
}
