import HTTPTypes
import StorageCore

/// A failure as the client sees it: a problem document (RFC 9457) and the fields that belong to its status.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// Stable and machine-readable.
    let code: String
    /// A sentence that says what is wrong and what would be right.
    let detail: String
    /// Fields beside `Content-Type`.
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
    }

    static let mediaType = "application/problem+json"
    static let noRoute = Problem(.notFound, "no_route", "There is nothing at this path.")

    /// Whether an operator should hear of it: the server failed, and not the request. A full container is its owner's business.
    var isFault: Bool { status.code >= 500 && code != StorageError.Code.quotaExceeded.name }

    /// The whole document; `message` repeats `detail` for older clients.
    func document(requestID: String) -> JSONWriter {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.name("type")
            json.string("about:blank")
            json.name("title")
            json.string(status.reasonPhrase.isEmpty ? code : status.reasonPhrase)
            json.name("status")
            json.integer(Int64(status.code))
            json.name("detail")
            json.string(detail)
            json.name("message")
            json.string(detail)
            json.name("code")
            json.string(code)
            json.name("request_id")
            json.string(requestID)
        }
        return json
    }
}
