import HTTPTypes
import NIOHTTP1

/// A request head that passed every check this server makes, and what it says about the message around it.
///
/// The decoder below is strict about characters and chunk syntax; the rules here are the ones on which two servers in a
/// chain could disagree about where a message ends (RFC 9112 sections 3.2, 6 and 11.2), so anything ambiguous is
/// refused instead of interpreted.
struct RequestHead {
    /// How the end of the body is known.
    enum BodyLength: Equatable {
        case none
        case known(Int64)
        case chunked
    }

    var request: HTTPRequest
    var bodyLength = BodyLength.none
    /// The client spoke HTTP/1.0: no chunks and no interim answers towards it.
    var isVersion10: Bool
    /// The client wants to use the connection again.
    var isPersistent: Bool
    /// The client waits for `100 Continue` before it sends the body.
    var expectsContinue = false
    /// The decoder stops after a request that offers to change the protocol, so it is the last one of its connection.
    var offersUpgrade = false

    /// - Parameters:
    ///   - head: The head as decoded.
    ///   - limits: The sizes to keep to.
    ///   - isSecure: Whether the connection is encrypted.
    /// - Throws: The fault to answer with.
    init(_ head: HTTPRequestHead, limits: ConnectionLimits, isSecure: Bool) throws(ConnectionFault) {
        guard head.version == .http1_1 || head.version == .http1_0 else { throw .malformedRequest }
        guard let method = HTTPRequest.Method(head.method.rawValue), method != .connect else { throw .malformedRequest }
        guard head.uri.utf8.count <= limits.maximumTargetBytes else { throw .targetTooLong }

        var fields = FieldReader(limits: limits)
        for (name, value) in head.headers {
            try fields.read(name: name, value: value)
        }
        isVersion10 = head.version == .http1_0
        guard fields.host != nil || isVersion10 else { throw .malformedRequest }

        let target = try TargetForm(head.uri, method: method)
        request = HTTPRequest(
            method: method,
            scheme: isSecure ? "https" : "http",
            authority: target.authority ?? fields.host,
            path: target.path,
            headerFields: fields.fields
        )
        isPersistent = isVersion10 ? fields.asksKeepAlive && !fields.asksClose : !fields.asksClose
        offersUpgrade = fields.hasUpgrade
        try readFraming(fields)
    }

    private mutating func readFraming(_ fields: FieldReader) throws(ConnectionFault) {
        switch (fields.contentLength, fields.isChunked) {
        case (.some, true):
            throw .malformedRequest
        case (nil, true):
            // A 1.0 intermediary would pass the field on without understanding it.
            guard !isVersion10 else { throw .malformedRequest }
            bodyLength = .chunked
        case (let length?, false):
            bodyLength = length > 0 ? .known(length) : .none
        case (nil, false):
            bodyLength = .none
        }
        // RFC 9110 section 10.1.1: the expectation of a 1.0 client is ignored.
        guard !isVersion10 else { return }
        guard !fields.hasUnknownExpectation else { throw .expectationFailed }
        expectsContinue = fields.expectsContinue && bodyLength != .none
    }
}

/// Reads header fields one by one and keeps what the connection itself has to know.
private struct FieldReader {
    private(set) var fields = HTTPFields()
    private(set) var host: String?
    private(set) var contentLength: Int64?
    private(set) var isChunked = false
    private(set) var asksClose = false
    private(set) var asksKeepAlive = false
    private(set) var hasUpgrade = false
    private(set) var expectsContinue = false
    private(set) var hasUnknownExpectation = false
    private var bytesLeft: Int
    private var fieldsLeft: Int

    init(limits: ConnectionLimits) {
        bytesLeft = limits.maximumHeaderBytes
        fieldsLeft = limits.maximumHeaderFields
    }

    mutating func read(name: String, value: String) throws(ConnectionFault) {
        bytesLeft -= name.utf8.count + value.utf8.count
        fieldsLeft -= 1
        guard bytesLeft >= 0, fieldsLeft >= 0 else { throw .headersTooLarge }
        guard let fieldName = HTTPField.Name(name), Octets.isFieldValue(value.utf8) else { throw .malformedRequest }

        switch fieldName.canonicalName {
        case "host":
            guard host == nil, Octets.isAuthority(value.utf8) else { throw .malformedRequest }
            // Like every HTTP version, `HTTPRequest` carries the host as its authority and not as a field.
            host = value
            return
        case "content-length":
            guard contentLength == nil, let length = Octets.decimal(value.utf8) else { throw .malformedRequest }
            contentLength = length
        case "transfer-encoding":
            guard !isChunked, Octets.equal(value.utf8, "chunked") else { throw .malformedRequest }
            isChunked = true
        case "connection":
            for token in value.utf8.split(separator: UInt8(ascii: ",")) {
                let token = Octets.trimmed(token)
                asksClose = asksClose || Octets.equal(token, "close")
                asksKeepAlive = asksKeepAlive || Octets.equal(token, "keep-alive")
            }
        case "upgrade":
            hasUpgrade = true
        case "expect":
            if Octets.equal(value.utf8, "100-continue") {
                expectsContinue = true
            } else {
                hasUnknownExpectation = true
            }
        default:
            break
        }
        fields.append(HTTPField(name: fieldName, value: value))
    }
}
