import HTTPTypes
import Hummingbird
import NIOCore

/// What a route answers.
struct Answer: Sendable {
    /// Writes content piece by piece; concurrent as Hummingbird's own writers are.
    typealias Write = @Sendable @concurrent (inout any ResponseBodyWriter) async throws -> Void

    /// The content, which may be long.
    enum Content: Sendable {
        case none
        case bytes(ByteBuffer)
        /// Written piece by piece after the head is out; a throw ends the connection, so that a short body never looks complete.
        case written(length: Int64?, Write)
    }

    var status: HTTPResponse.Status
    var headers: HTTPFields {
        didSet { lines = nil }
    }
    /// The headers as they are sent, where that was written before.
    private(set) var lines: FieldLines?
    var content: Content

    init(_ status: HTTPResponse.Status, headers: HTTPFields = [:], content: Content = .none) {
        self.status = status
        self.headers = headers
        self.content = content
    }

    /// The same answer, in a form that is quick to give many times.
    func prepared() -> Answer {
        var answer = self
        answer.lines = FieldLines(headers)
        return answer
    }

    /// A JSON document of a known size.
    static func json(
        _ status: HTTPResponse.Status, type: String = "application/json", headers: HTTPFields = [:],
        _ writer: JSONWriter
    ) -> Answer {
        var writer = writer
        var answer = Answer(status, headers: headers, content: .bytes(writer.take()))
        answer.headers[.contentType] = type
        return answer
    }

    /// A JSON object, written by the closure.
    static func json(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ body: (inout JSONWriter) -> Void
    ) -> Answer {
        var json = JSONWriter()
        json.object(body)
        return .json(status, headers: headers, json)
    }
}
