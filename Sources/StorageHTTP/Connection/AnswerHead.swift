public import HTTPTypes
import NIOCore

/// The status line and fields of an answer as they are sent (RFC 9112 sections 4 and 5), without the empty line at their end.
///
/// An answer that is given at once is written in this form from the beginning: on its way through `HTTPFields` and the fields of the
/// codec every name and value would be copied and checked again.
public struct AnswerHead: Sendable {
    /// What was written so far.
    private(set) var bytes: ByteBuffer

    /// Begins with the status line.
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - capacity: How many bytes are likely to come, content included.
    public init(_ status: HTTPResponse.Status, capacity: Int = 1_024) {
        bytes = ByteBufferAllocator().buffer(capacity: capacity)
        if status == .ok {
            bytes.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            bytes.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
        }
    }

    /// Adds a field, whose value must be one that `HTTPField` takes as it is.
    public mutating func append(_ name: HTTPField.Name, _ value: String) {
        bytes.writeField(name, value)
    }

    /// Adds the length of the content (RFC 9110 section 8.6).
    public mutating func append(contentLength: Int64) {
        bytes.writeStaticString("Content-Length: ")
        bytes.writeString(String(contentLength))
        bytes.writeStaticString("\r\n")
    }

    /// Adds fields that were written before.
    public mutating func append(_ lines: FieldLines) {
        bytes.writeImmutableBuffer(lines.bytes)
    }

    /// Adds the empty line, and content behind it.
    mutating func end(content: ByteBuffer?) {
        bytes.writeStaticString("\r\n")
        if let content { bytes.writeImmutableBuffer(content) }
    }
}

/// Fields as they are sent, for many answers.
public struct FieldLines: Sendable {
    fileprivate private(set) var bytes: ByteBuffer

    /// Writes fields; those that frame a message are left out.
    public init(_ fields: HTTPFields) {
        bytes = ByteBufferAllocator().buffer(capacity: 512)
        for field in fields where !Self.framing.contains(field.name) { bytes.writeField(field.name, field.value) }
    }

    /// How many bytes they take.
    var count: Int { bytes.readableBytes }

    private static let framing: [HTTPField.Name] = [.connection, .transferEncoding, .contentLength]
}

extension ByteBuffer {
    fileprivate mutating func writeField(_ name: HTTPField.Name, _ value: String) {
        writeString(name.rawName)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }
}
