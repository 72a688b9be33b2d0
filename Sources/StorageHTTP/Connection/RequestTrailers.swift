public import HTTPTypes
public import NIOCore
import NIOHTTP1

/// The fields that a client sends behind a chunked body (RFC 9110 section 6.5).
///
/// They are the client's own words and come too late for routing and credentials: only what is about the body itself, such as its
/// digest, may be taken from them.
public struct RequestTrailers: Sendable {
    private let body: RequestBodyStream

    /// Looks whether the present request of a channel can have trailers.
    ///
    /// - Parameter channel: The channel that the request context got.
    /// - Returns: `nil` on a channel that is not ``StorageHTTP1Channel``'s, and for a request without a body.
    public init?(_ channel: any Channel) {
        guard let body = (channel as? ConnectionChannel)?.body else { return nil }
        self.body = body
    }

    /// The trailers, once the iterator of the body has returned `nil`; empty where the client sent none.
    public var fields: HTTPFields { body.trailers }
}

extension HTTPFields {
    /// The trailers as decoded; nil where a field breaks RFC 9110 section 5.
    init?(trailers: HTTPHeaders) {
        self.init()
        for (name, value) in trailers {
            guard let name = HTTPField.Name(name), Octets.isFieldValue(value.utf8) else { return nil }
            append(HTTPField(name: name, value: value))
        }
    }
}
