import NIOCore

/// Writes the small XML bodies of requests.
struct XMLWriter {
    /// What was written.
    private(set) var buffer: ByteBuffer

    /// Begins with the declaration of XML.
    init() {
        buffer = ByteBuffer(string: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
    }

    /// Writes an element and what the body writes into it.
    mutating func element(
        _ name: StaticString, namespace: StaticString? = nil, _ body: (_ writer: inout XMLWriter) -> Void
    ) {
        buffer.writeStaticString("<")
        buffer.writeStaticString(name)
        if let namespace {
            buffer.writeStaticString(" xmlns=\"")
            buffer.writeStaticString(namespace)
            buffer.writeStaticString("\"")
        }
        buffer.writeStaticString(">")
        body(&self)
        buffer.writeStaticString("</")
        buffer.writeStaticString(name)
        buffer.writeStaticString(">")
    }

    /// Writes an element that holds a text alone. The bytes must be UTF-8; markup and control characters are escaped.
    mutating func leaf(_ name: StaticString, _ text: some Sequence<UInt8>) {
        element(name) { writer in
            for byte in text { writer.escape(byte) }
        }
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): buffer.writeStaticString("&amp;")
        case UInt8(ascii: "<"): buffer.writeStaticString("&lt;")
        case UInt8(ascii: ">"): buffer.writeStaticString("&gt;")
        case UInt8(ascii: "\""): buffer.writeStaticString("&quot;")
        case 0..<0x20, 0x7F: buffer.writeString("&#\(byte);")
        default: buffer.writeInteger(byte)
        }
    }
}
