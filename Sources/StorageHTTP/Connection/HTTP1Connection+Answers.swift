import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// The outbound half: from the parts a route writes to exactly one answer.
extension HTTP1Connection {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .serving = phase, let exchange, exchange.answer != .ended else {
            // Too late: the answer has ended, or the connection gave one itself.
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let response):
            writeHead(response, context: context, promise: promise)
        case .body(let bytes):
            writeContent(.byteBuffer(bytes), context: context, promise: promise)
        case .end(let trailers):
            writeEnd(trailers, context: context, promise: promise)
        }
    }

    private func writeHead(
        _ response: HTTPResponse, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
    ) {
        guard let exchange, exchange.answer == .none else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            abort()
            return
        }
        if response.status.kind == .informational {
            guard !exchange.isVersion10 else {
                promise?.succeed()
                return
            }
            if response.status.code == 100 { self.exchange?.awaitsContinue = false }
            let interim = HTTPResponseHead(
                version: .http1_1,
                status: HTTPResponseStatus(statusCode: response.status.code),
                headers: HTTPHeaders(response.headerFields.map { ($0.name.rawName, $0.value) })
            )
            context.write(wrapOutboundOut(.head(interim)), promise: promise)
            return
        }
        guard let head = self.exchange?.begin(response, quietDiscardBytes: limits.quietDiscardBytes) else { return }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// Sends content, or lets it vanish where the answer has none.
    func writeContent(_ content: IOData, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard let exchange, exchange.sendsContent || exchange.answer != .begun else {
            promise?.succeed()
            return
        }
        guard self.exchange?.send(bytes: Int64(content.readableBytes)) == true else {
            // More than was declared would be read as the next answer.
            promise?.fail(ChannelError.ioOnClosedChannel)
            abort()
            return
        }
        meters.sent(content.readableBytes)
        context.write(wrapOutboundOut(.body(content)), promise: promise)
    }

    private func writeEnd(
        _ trailers: HTTPFields?, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
    ) {
        guard let exchange, exchange.answer == .begun else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            abort()
            return
        }
        self.exchange?.end()
        // An end would make the encoder close the chunks of an answer that has none.
        let fields = trailers.map { HTTPHeaders($0.map { ($0.name.rawName, $0.value) }) }
        let part: HTTPServerResponsePart =
            exchange.sendsContent ? .end(fields) : .body(.byteBuffer(ByteBuffer()))
        if self.exchange?.closes == true {
            finish(writing: part, promise: promise)
        } else {
            context.write(wrapOutboundOut(part), promise: promise)
            concludeIfDone()
        }
    }

    /// Sends a whole answer in the place of a route.
    ///
    /// It passes by the encoder: it is in the form that the encoder would give it.
    func send(_ answer: CompleteAnswer, context: ChannelHandlerContext) {
        guard exchange != nil else { return }
        if let field = exchange?.giveAtOnce() {
            gate?.send(answer.bytes(with: field))
        } else {
            gate?.send(answer.bytes)
        }
        if let rest = answer.rest { gate?.send(rest) }
        meters.sent(answer.contentBytes)
        concludeIfDone()
        context.flush()
    }

    /// The route has returned or thrown.
    ///
    /// Whatever it wrote was written before, because both ways lead through the same event loop in the same order.
    func routeEnded(request number: Int) {
        guard case .serving = phase, let exchange, exchange.number == number else { return }
        self.exchange?.isRouteDone = true
        switch exchange.answer {
        case .ended: concludeIfDone()
        case .none: reject(.unanswered, isHead: exchange.isHead)
        case .begun: abort()
        }
    }
}
