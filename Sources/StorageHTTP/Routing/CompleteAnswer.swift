public import HTTPTypes
public import NIOCore
import StorageCore
import Synchronization

/// An answer that is in memory as a whole.
public struct CompleteAnswer: Sendable {
    /// Status and fields, with the length of the content.
    public let head: HTTPResponse
    /// The content; nil where there is none, or it stays behind as in answer to HEAD.
    public let content: ByteBuffer?

    /// Describes an answer.
    public init(_ head: HTTPResponse, content: ByteBuffer?) {
        self.head = head
        self.content = content
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
