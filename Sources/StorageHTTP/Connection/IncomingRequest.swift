import HTTPTypes
import NIOCore

/// A request as the connection hands it to the task that answers it.
struct IncomingRequest: Sendable {
    /// Which request of its connection this is.
    let number: Int
    let head: HTTPRequest
    /// `nil` when the request has no body.
    let body: RequestBodyStream?
}
