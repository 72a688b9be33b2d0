import HTTPTypes
import NIOCore
import NIOHTTP1

/// One request and its answer: how far both have come, and whether the connection can be used again after them.
struct Exchange {
    enum Answer {
        case none
        case begun
        case ended
    }

    /// Which request of its connection this is.
    let number: Int
    let isHead: Bool
    let isVersion10: Bool
    /// `nil` when the request has no body.
    let body: RequestBodyStream?

    /// The last byte of the request was received.
    var isReceived = false
    /// What is still to come of a body of known length; `nil` for a chunked one.
    var unreceived: Int64?
    /// The client may be holding the body back until it reads `100 Continue`.
    var awaitsContinue: Bool
    /// No further request is taken from this connection.
    var closes: Bool
    /// The decoder stops behind this request.
    let isLastDecodable: Bool

    private(set) var answer = Answer.none
    /// What the declared length of the answer still promises; `nil` when none was declared.
    private(set) var unsent: Int64?
    /// Whether the bytes of the answer's content are sent: not to HEAD, nor with 204 and 304.
    private(set) var sendsContent = true
    /// Only the end of the connection tells the client where the answer ends.
    private(set) var endsWithConnection = false

    /// The route has returned.
    var isRouteDone = false
    /// When the rest of an unread body must have been received; set while it is being dropped.
    var discardDeadline: NIODeadline?

    init(number: Int, head: RequestHead, body: RequestBodyStream?) {
        self.number = number
        self.isHead = head.request.method == .head
        self.isVersion10 = head.isVersion10
        self.body = body
        self.awaitsContinue = head.expectsContinue
        self.closes = !head.isPersistent || head.offersUpgrade
        self.isLastDecodable = head.offersUpgrade
        if case .known(let length) = head.bodyLength { self.unreceived = length }
    }

    /// Whether the rest of the body is known to be so small that dropping it is cheaper than a new connection.
    private func canDiscardRest(upTo limit: Int) -> Bool {
        guard !awaitsContinue, let unreceived else { return false }
        return unreceived <= Int64(limit)
    }

    /// Takes the head of the answer and settles what becomes of the connection.
    ///
    /// - Parameters:
    ///   - response: The head as the route wrote it.
    ///   - quietDiscardBytes: How much of an unread body may be dropped without closing.
    /// - Returns: The head to send, with the one `Connection` field that is right.
    mutating func begin(_ response: HTTPResponse, quietDiscardBytes: Int) -> HTTPResponseHead {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headerFields.count + 1)
        var length: Int64?
        for field in response.headerFields {
            switch field.name {
            case .connection:
                for token in field.value.utf8.split(separator: UInt8(ascii: ","))
                where Octets.equal(Octets.trimmed(token), "close") {
                    closes = true
                }
            case .transferEncoding:
                // Framing is the encoder's business alone.
                break
            case .contentLength:
                guard let value = Octets.decimal(field.value.utf8) else { continue }
                length = value
                headers.add(name: field.name.rawName, value: field.value)
            default:
                headers.add(name: field.name.rawName, value: field.value)
            }
        }

        let status = HTTPResponseStatus(
            statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase)
        sendsContent = !isHead && status.mayHaveResponseBody
        unsent = length
        endsWithConnection = isVersion10 && sendsContent && length == nil
        closes = closes || endsWithConnection || (!isReceived && !canDiscardRest(upTo: quietDiscardBytes))
        answer = .begun

        if closes {
            headers.add(name: "Connection", value: "close")
        } else if isVersion10 {
            headers.add(name: "Connection", value: "keep-alive")
        }
        return HTTPResponseHead(version: isVersion10 ? .http1_0 : .http1_1, status: status, headers: headers)
    }

    /// Settles an answer that is given whole, to a request that was received.
    ///
    /// - Returns: The `Connection` field that it needs, as it is sent. HTTP/1.0 clients take a head of HTTP/1.1 (RFC 9110 section 6.2).
    mutating func giveAtOnce() -> StaticString? {
        closes = closes || !isReceived
        answer = .ended
        isRouteDone = true
        if closes { return "Connection: close\r\n" }
        return isVersion10 ? "Connection: keep-alive\r\n" : nil
    }

    /// Counts content against the declared length.
    ///
    /// - Returns: Whether that much may be sent.
    mutating func send(bytes: Int64) -> Bool {
        guard answer == .begun else { return false }
        guard let left = unsent else { return true }
        unsent = left - bytes
        return left >= bytes
    }

    /// Ends the answer. One that is shorter than declared ends the connection too, or the client would wait for the
    /// rest.
    mutating func end() {
        answer = .ended
        if sendsContent, let unsent, unsent != 0 { closes = true }
    }

    /// Counts bytes of the body that arrived.
    mutating func receive(bytes: Int) {
        if let left = unreceived { unreceived = left - Int64(bytes) }
    }
}
