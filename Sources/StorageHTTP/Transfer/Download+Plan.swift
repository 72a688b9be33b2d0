import HTTPTypes
import NIOCore
import StorageCore

extension Download {
    /// What the record and the request's fields lead to.
    struct Plan: Sendable {
        /// How the bytes of a file make the content.
        enum Form: Sendable {
            /// There is none, or it is there already.
            case none
            /// One part, perhaps all of it, as it is.
            case part(ByteRange)
            /// Several parts.
            case parts(MultipartByteRanges)
            /// All of it in gzip.
            case gzip
        }

        var answer: Answer
        var form = Form.none
        var revision: Revision?

        /// The bytes to open first.
        var range: ByteRange? {
            switch form {
            case .none: nil
            case .part(let range): range
            case .parts(let parts): parts.ranges.first
            case .gzip: revision.map { 0..<$0.size }
            }
        }

        /// The answer, where it takes no more than the bytes of one part.
        func recalled(_ bytes: ByteBuffer?) -> Answer? {
            switch form {
            case .none: return answer
            case .part:
                guard let bytes else { return answer }
                var answer = answer
                answer.content = .bytes(bytes)
                return answer
            case .parts, .gzip: return nil
            }
        }
    }
}

extension Download.Plan {
    /// One part of a file.
    init(part: ByteRange, _ status: HTTPResponse.Status, _ fields: HTTPFields, _ revision: Revision) {
        let length = part.upperBound - part.lowerBound
        self.init(
            answer: Answer(status, headers: fields, content: .written(length: length) { _ in }), form: .part(part),
            revision: revision)
    }
}
