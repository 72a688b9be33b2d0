/// Writes JSON (RFC 8259) byte by byte into memory: for answers and for lists of any length, which are taken out piece by
/// piece while they grow.
///
/// It puts the commas and colons; that begin and end match, and that every name is followed by a value, is up to the
/// caller. A literal name must need no escaping.
struct JSONWriter: Sendable {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int = 1_024) {
        bytes.reserveCapacity(capacity)
    }

    var byteCount: Int { bytes.count }

    /// Forgets the bytes written so far, which have gone out, and goes on behind them in the same memory.
    mutating func removeWritten() {
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func beginObject() { begin(0x7B) }

    mutating func endObject() { end(0x7D) }

    mutating func beginArray() { begin(0x5B) }

    mutating func endArray() { end(0x5D) }

    /// An object whose members `body` writes.
    mutating func object<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        beginObject()
        try body(&self)
        endObject()
    }

    /// An array whose elements `body` writes.
    mutating func array<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
        beginArray()
        try body(&self)
        endArray()
    }

    /// The name of the member whose value is written next.
    mutating func name(_ name: StaticString) {
        separate()
        bytes.append(ASCII.quote)
        append(name)
        bytes.append(ASCII.quote)
        bytes.append(ASCII.colon)
        needsComma = false
    }

    /// The same for a name that is not a literal of this module.
    mutating func name(escaping name: String) {
        string(name)
        bytes.append(ASCII.colon)
        needsComma = false
    }

    mutating func null() { literal("null") }

    mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    mutating func integer(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(ASCII.dash) }
        let first = bytes.count
        var rest = value.magnitude
        repeat {
            bytes.append(ASCII.zero &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[first...].reverse()
    }

    /// A number; null when it is not finite, which JSON cannot say.
    mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(validated: $0) }
    }

    /// A string of bytes that should be UTF-8; what is not becomes U+FFFD.
    mutating func string(utf8 text: [UInt8]) {
        if text.allSatisfy({ $0 < 0x80 }) {
            text.withUnsafeBufferPointer { string(validated: $0) }
        } else {
            string(String(decoding: text, as: UTF8.self))
        }
    }

    /// A time in microseconds since 1970, as RFC 3339 with whole seconds.
    mutating func time(microseconds: Int64) {
        separate()
        bytes.append(ASCII.quote)
        withUnsafeTemporaryAllocation(byteCount: RFC3339.length, alignment: 1) { text in
            _ = RFC3339.write(microseconds: microseconds, into: text)
            bytes.append(contentsOf: text)
        }
        bytes.append(ASCII.quote)
    }

    private mutating func string(validated text: UnsafeBufferPointer<UInt8>) {
        separate()
        bytes.append(ASCII.quote)
        var start = text.startIndex
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == ASCII.quote || byte == ASCII.backslash else { continue }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
            escape(byte)
            start = index &+ 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        bytes.append(ASCII.quote)
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        case 0..<0x20:
            append("\\u00")
            bytes.append(ASCII.hexDigit(byte >> 4))
            bytes.append(ASCII.hexDigit(byte))
        default:
            bytes.append(ASCII.backslash)
            bytes.append(byte)
        }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        append(text)
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        needsComma = false
        bytes.append(bracket)
    }

    private mutating func end(_ bracket: UInt8) {
        needsComma = true
        bytes.append(bracket)
    }

    /// Puts the comma before a value, unless it is the first one or follows its name.
    private mutating func separate() {
        if needsComma { bytes.append(ASCII.comma) }
        needsComma = true
    }
}
