import NIOCore

/// Writes JSON (RFC 8259) straight into a buffer: for answers and for lists of any length, which are taken out piece by
/// piece while they grow.
///
/// It puts the commas and colons; that begin and end match, and that every name is followed by a value, is up to the
/// caller. A literal name must need no escaping.
struct JSONWriter: Sendable {
    private(set) var buffer: ByteBuffer
    private var needsComma = false

    init(capacity: Int = 1_024) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
    }

    var byteCount: Int { buffer.readableBytes }

    /// Hands over what was written so far and goes on in an empty buffer of the same size.
    mutating func take() -> ByteBuffer {
        let taken = buffer
        buffer = ByteBufferAllocator().buffer(capacity: max(taken.readableBytes, 256))
        return taken
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
        let comma = needsComma
        needsComma = false
        name.withUTF8Buffer { name in
            _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: name.count &+ 4) { target in
                var count = 0
                if comma {
                    target[0] = ASCII.comma
                    count = 1
                }
                target[count] = ASCII.quote
                UnsafeMutableRawBufferPointer(rebasing: target[(count &+ 1)...]).copyMemory(from: .init(name))
                count &+= name.count &+ 1
                target[count] = ASCII.quote
                target[count &+ 1] = ASCII.colon
                return count &+ 2
            }
        }
    }

    /// The same for a name that is not a literal of this module.
    mutating func name(escaping name: String) {
        string(name)
        buffer.writeInteger(ASCII.colon)
        needsComma = false
    }

    mutating func null() { literal("null") }

    mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    mutating func integer(_ value: Int64) {
        separate()
        _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { target in
            var rest = value.magnitude
            var index = 20
            repeat {
                index &-= 1
                target[index] = ASCII.zero &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 {
                index &-= 1
                target[index] = ASCII.dash
            }
            target.copyMemory(from: .init(rebasing: target[index..<20]))
            return 20 &- index
        }
    }

    /// A number; null when it is not finite, which JSON cannot say.
    mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        buffer.writeString(value.description)
    }

    mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(validated: UnsafeRawBufferPointer($0)) }
    }

    /// A string of bytes that should be UTF-8; what is not becomes U+FFFD.
    mutating func string(utf8 bytes: [UInt8]) {
        let isASCII = bytes.allSatisfy { $0 < 0x80 }
        if isASCII {
            bytes.withUnsafeBytes { string(validated: $0) }
        } else {
            string(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// A time in microseconds since 1970, as RFC 3339 with whole seconds.
    mutating func time(microseconds: Int64) {
        separate()
        _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: RFC3339.length &+ 2) { target in
            target[0] = ASCII.quote
            let count = RFC3339.write(microseconds: microseconds, into: .init(rebasing: target[1...]))
            target[count &+ 1] = ASCII.quote
            return count &+ 2
        }
    }

    private mutating func string(validated bytes: UnsafeRawBufferPointer) {
        separate()
        buffer.reserveCapacity(minimumWritableBytes: bytes.count &+ 2)
        buffer.writeInteger(ASCII.quote)
        var rest = bytes[...]
        while rest.isEmpty == false {
            let clean = rest.prefix { $0 >= 0x20 && $0 != ASCII.quote && $0 != ASCII.backslash }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: clean))
            rest = rest[clean.endIndex...]
            if let byte = rest.popFirst() { escape(byte) }
        }
        buffer.writeInteger(ASCII.quote)
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case ASCII.quote, ASCII.backslash: buffer.writeBytes([ASCII.backslash, byte])
        case 0x08: buffer.writeStaticString("\\b")
        case 0x09: buffer.writeStaticString("\\t")
        case 0x0A: buffer.writeStaticString("\\n")
        case 0x0C: buffer.writeStaticString("\\f")
        case 0x0D: buffer.writeStaticString("\\r")
        default:
            buffer.writeStaticString("\\u00")
            buffer.writeBytes([ASCII.hexDigit(byte >> 4), ASCII.hexDigit(byte)])
        }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        buffer.writeStaticString(text)
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        needsComma = false
        buffer.writeInteger(bracket)
    }

    private mutating func end(_ bracket: UInt8) {
        needsComma = true
        buffer.writeInteger(bracket)
    }

    /// Puts the comma before a value, unless it is the first one or follows its name.
    private mutating func separate() {
        if needsComma { buffer.writeInteger(ASCII.comma) }
        needsComma = true
    }
}
