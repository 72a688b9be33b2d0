public import HTTPTypes
public import NIOCore
import StorageCore

/// A request that never reached a route: what was wrong with it.
///
/// The connection ends after the answer to a fault, because where the next request would begin is not known.
public enum ConnectionFault: Error, Sendable, Hashable, CaseIterable {
    /// The request line, a header field or the framing breaks RFC 9112. 400.
    case malformedRequest
    /// The request head did not arrive in time. 408.
    case requestTimeout
    /// The request target is longer than ``ConnectionLimits/maximumTargetBytes``. 414.
    case targetTooLong
    /// `Expect` asks for something other than `100-continue`. 417 (RFC 9110 section 10.1.1).
    case expectationFailed
    /// Too many or too large header fields. 431 (RFC 6585 section 5).
    case headersTooLarge
    /// The route ended without an answer. 500.
    case unanswered

    /// The stable, machine-readable name of the fault.
    public var code: String {
        switch self {
        case .malformedRequest: "malformed_request"
        case .requestTimeout: "request_timeout"
        case .targetTooLong: "target_too_long"
        case .expectationFailed: "expectation_failed"
        case .headersTooLarge: "headers_too_large"
        case .unanswered: "internal_error"
        }
    }

    /// The status that fits the fault.
    public var status: HTTPResponse.Status {
        switch self {
        case .malformedRequest: .badRequest
        case .requestTimeout: .requestTimeout
        case .targetTooLong: .uriTooLong
        case .expectationFailed: .expectationFailed
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .unanswered: .internalServerError
        }
    }

    /// One sentence for the client; fixed text that repeats nothing of the request.
    public var detail: String {
        switch self {
        case .malformedRequest: "The request is not well-formed HTTP/1.1."
        case .requestTimeout: "The request head did not arrive in time."
        case .targetTooLong: "The request target is too long."
        case .expectationFailed: "Only 100-continue can be expected."
        case .headersTooLarge: "The request has too many or too large header fields."
        case .unanswered: "The request could not be answered."
        }
    }
}

/// A complete answer that the connection sends by itself, without a route.
///
/// `Connection`, `Content-Length` and `Transfer-Encoding` are the connection's own business and are replaced.
public struct ConnectionFaultAnswer: Sendable {
    /// The status of the answer.
    public var status: HTTPResponse.Status
    /// Its header fields.
    public var headers: HTTPFields
    /// Its whole body.
    public var body: ByteBuffer

    /// - Parameters:
    ///   - status: The status of the answer.
    ///   - headers: Its header fields.
    ///   - body: Its whole body.
    public init(status: HTTPResponse.Status, headers: HTTPFields, body: ByteBuffer) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The problem document (RFC 9457) of a fault, with an id of its own.
    ///
    /// - Parameter fault: What was wrong.
    public static func problem(_ fault: ConnectionFault) -> ConnectionFaultAnswer {
        let status = fault.status
        let id = Identifier<ConnectionFault>().description
        // Every part is fixed text of this module, free of characters that JSON would have to escape.
        let json = """
            {"type":"about:blank","title":"\(status.reasonPhrase)","status":\(status.code),"detail":"\(fault.detail)",\
            "code":"\(fault.code)","message":"\(fault.detail)","request_id":"\(id)"}
            """
        return ConnectionFaultAnswer(
            status: status,
            headers: [
                .contentType: "application/problem+json", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .xRequestID: id,
            ],
            body: ByteBuffer(string: json)
        )
    }
}
