import Logging

/// A log record on its way to being one line of bytes.
///
/// Whatever is in a message or a value, the line stays one line, and nothing in it can steer a terminal: control bytes, the
/// Unicode line separators and the marks that turn text round are written as `\u00xx`. A text over 8 KiB is cut.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    private static let maximumText = 8_192

    init(
        _ format: LogFormat, at time: LogTime, level: Logger.Level, label: String, message: String,
        metadata: [(key: String, value: Logger.MetadataValue)]
    ) {
        bytes.reserveCapacity(384)
        switch format {
        case .text: appendText(time, level, label, message, metadata)
        case .json: appendJSON(time, level, label, message, metadata)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    // MARK: Text

    private mutating func appendText(
        _ time: LogTime, _ level: Logger.Level, _ label: String, _ message: String,
        _ metadata: [(key: String, value: Logger.MetadataValue)]
    ) {
        time.append(to: &bytes)
        append(" ")
        append(level.column)
        append(" ")
        appendEscaped(label)
        append(": ")
        appendEscaped(message)
        for (key, value) in metadata {
            append(" ")
            appendEscaped(key)
            append("=")
            let text = value.plainText
            if text.needsQuotes {
                appendQuoted(text)
            } else {
                appendEscaped(text)
            }
        }
    }

    // MARK: JSON

    private mutating func appendJSON(
        _ time: LogTime, _ level: Logger.Level, _ label: String, _ message: String,
        _ metadata: [(key: String, value: Logger.MetadataValue)]
    ) {
        append(#"{"time":""#)
        time.append(to: &bytes)
        append(#"","level":""#)
        append(level.rawValue)
        append(#"","logger":"#)
        appendQuoted(label)
        append(#","message":"#)
        appendQuoted(message)
        for (key, value) in metadata {
            append(",")
            appendQuoted(Self.reserved.contains(key) ? key + "_" : key)
            append(":")
            appendJSON(value)
        }
        append("}")
    }

    private static let reserved: Set<String> = ["time", "level", "logger", "message"]

    private mutating func appendJSON(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): appendQuoted(text)
        case .stringConvertible(let value):
            switch value {
            case let number as any FixedWidthInteger: append(String(describing: number))
            case let flag as Bool: append(flag ? "true" : "false")
            default: appendQuoted(value.description)
            }
        case .array(let values):
            append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { append(",") }
                appendJSON(value)
            }
            append("]")
        case .dictionary(let members):
            append("{")
            for (index, (key, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(",") }
                appendQuoted(key)
                append(":")
                appendJSON(value)
            }
            append("}")
        }
    }

    // MARK: Bytes

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func appendQuoted(_ text: String) {
        append("\"")
        appendEscaped(text, quoted: true)
        append("\"")
    }

    private mutating func appendEscaped(_ text: String, quoted: Bool = false) {
        var text = text
        text.withUTF8 { utf8 in
            let end = utf8.count <= Self.maximumText ? utf8.count : utf8.wholeScalars(upTo: Self.maximumText)
            var index = 0
            while index < end {
                let byte = utf8[index]
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                    if quoted { bytes.append(UInt8(ascii: "\\")) }
                    bytes.append(byte)
                case 0x20..<0x7F: bytes.append(byte)
                case 0..<0x20, 0x7F: appendEscape(UInt16(byte))
                default:
                    if let scalar = utf8.unsafeScalar(at: index) {
                        appendEscape(scalar)
                        index += scalar < 0x800 ? 2 : 3
                        continue
                    }
                    bytes.append(byte)
                }
                index += 1
            }
            if end < utf8.count { append("…") }
        }
    }

    private mutating func appendEscape(_ scalar: UInt16) {
        append("\\u")
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(scalar >> shift & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar that begins at `index` where it is one that must not reach a terminal: C1 controls, line and paragraph
    /// separators, marks of direction.
    fileprivate func unsafeScalar(at index: Int) -> UInt16? {
        if self[index] == 0xC2, index + 1 < count, self[index + 1] < 0xA0 {
            return UInt16(self[index + 1])
        }
        guard self[index] == 0xE2, index + 2 < count else { return nil }
        switch (self[index + 1], self[index + 2]) {
        case (0x80, 0xA8...0xAE), (0x80, 0x8E...0x8F), (0x81, 0xA6...0xA9):
            return 0x2000 | UInt16(self[index + 1] & 0x3F) << 6 | UInt16(self[index + 2] & 0x3F)
        default: return nil
        }
    }

    /// The longest prefix of at most `limit` bytes that cuts no scalar.
    fileprivate func wholeScalars(upTo limit: Int) -> Int {
        var end = limit
        while end > 0, self[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }
}

extension Logger.Level {
    /// The name, as wide as the longest.
    fileprivate var column: String {
        switch self {
        case .trace: "trace   "
        case .debug: "debug   "
        case .info: "info    "
        case .notice: "notice  "
        case .warning: "warning "
        case .error: "error   "
        case .critical: "critical"
        }
    }
}

extension Logger.MetadataValue {
    fileprivate var plainText: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): "[" + values.map(\.plainText).joined(separator: ",") + "]"
        case .dictionary(let members):
            "{" + members.sorted { $0.key < $1.key }.map { $0.key + ":" + $0.value.plainText }.joined(separator: ",")
                + "}"
        }
    }
}

extension String {
    /// Whether the text could be taken for more than one value.
    fileprivate var needsQuotes: Bool {
        isEmpty || utf8.contains { $0 == 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "=") }
    }
}
