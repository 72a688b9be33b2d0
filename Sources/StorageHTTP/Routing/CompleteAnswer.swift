public import NIOCore
import StorageCore
import Synchronization

/// An answer that is in memory as a whole.
public struct CompleteAnswer: Sendable {
    /// Content up to this size goes in one piece with its head: a copy costs less than a second piece.
    static let mostCopied = 4_096

    /// Status and fields, the empty line behind them, and content that is small.
    let bytes: ByteBuffer
    /// How many bytes of that come before the empty line.
    let headCount: Int
    /// Content that is not small.
    let rest: ByteBuffer?
    /// How long the content is.
    var contentBytes: Int { bytes.readableBytes - headCount - 2 + (rest?.readableBytes ?? 0) }

    /// Describes an answer.
    ///
    /// - Parameters:
    ///   - head: Status and fields, with `Content-Length` unless the status has no content.
    ///   - content: The content, if it is to be sent.
    public init(_ head: consuming AnswerHead, content: ByteBuffer?) {
        let isSmall = content.map { $0.readableBytes <= Self.mostCopied } ?? true
        headCount = head.bytes.readableBytes
        head.end(content: isSmall ? content : nil)
        bytes = head.bytes
        rest = isSmall ? nil : content
    }

    /// The bytes with one more field.
    func bytes(with field: StaticString) -> ByteBuffer {
        var (head, tail) = (bytes, bytes)
        head.moveWriterIndex(to: head.readerIndex + headCount)
        tail.moveReaderIndex(forwardBy: headCount)
        head.writeStaticString(field)
        head.writeBuffer(&tail)
        return head
    }
}

/// The present moment in the form of `Date` (RFC 9110 section 6.6.1), written once a second.
final class DateField: Sendable {
    private let last = Mutex((second: Int64.min, text: ""))

    var text: String {
        let second = Timestamp.now().seconds
        return last.withLock { last in
            if last.second != second { last = (second, HTTPDate.format(second)) }
            return last.text
        }
    }
}
