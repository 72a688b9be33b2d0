import HTTPTypes
import NIOCore
import NIOHTTP1

/// The inbound half: from decoded parts to requests and their bodies.
extension HTTP1Connection {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isDecoding else { return }
        let part = unwrapInboundIn(data)
        if let exchange, exchange.isReceived {
            backlog.append(.part(part))
        } else {
            take(part, context: context)
        }
    }

    private func take(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            begin(head, context: context)
        case .body(let bytes):
            wire.silentBytes = 0
            meters.received(bytes.readableBytes)
            exchange?.receive(bytes: bytes.readableBytes)
            if exchange?.discardDeadline == nil {
                exchange?.body?.receive(bytes)
            }
        case .end(let trailers):
            guard let exchange else { return }
            self.exchange?.isReceived = true
            self.exchange?.unreceived = 0
            isInputDead = exchange.isLastDecodable
            if let fields = HTTPFields(trailers: trailers ?? [:]) {
                exchange.body?.finish(trailers: fields)
            } else {
                self.exchange?.closes = true
                exchange.body?.fail(.malformed)
            }
            deliver(context: context)
            concludeIfDone()
        }
    }

    private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        wire.headEnded()
        let parsed: RequestHead
        do throws(ConnectionFault) {
            parsed = try RequestHead(head, limits: limits, isSecure: isSecure)
        } catch {
            reject(error, isHead: head.method == .HEAD)
            return
        }

        requestCount += 1
        let number = requestCount
        var body: RequestBodyStream?
        if parsed.bodyLength != .none {
            let eventLoop = context.eventLoop
            let connection = NIOLoopBound(self, eventLoop: eventLoop)
            body = RequestBodyStream(limits: limits, announcesFirstAsk: parsed.expectsContinue) {
                eventLoop.execute { connection.value.bodyWasAsked(ofRequest: number) }
            }
        }
        exchange = Exchange(number: number, head: parsed, body: body)
        if isQuiescing { exchange?.closes = true }
        undelivered = IncomingRequest(number: number, head: parsed.request, body: body)
        // Of a request without a body the end is there too, or comes next.
        let mayBeRecalled = recall != nil && body == nil && !parsed.offersUpgrade && !isTakingBacklog
        if !mayBeRecalled { deliver(context: context) }
    }

    /// Answers the request at once or soon, or hands it to its route.
    private func deliver(context: ChannelHandlerContext) {
        guard let request = undelivered else { return }
        undelivered = nil
        // A client that does not take its answers waits for its turn as everybody does.
        guard exchange?.isReceived == true, request.body == nil, !isTakingBacklog, recallsLeft > 0,
            context.channel.isWritable, let recalled = recall?(request.head, remoteAddress, context.eventLoop)
        else {
            context.fireChannelRead(wrapInboundOut(request))
            return
        }
        switch recalled {
        case .now(let answer):
            recallsLeft -= 1
            send(answer, context: context)
        case .soon(let future):
            future.assumeIsolated().whenComplete { self.recalled($0, for: request) }
        }
    }

    /// What was asked for the request has come, or has not.
    private func recalled(_ answer: Result<CompleteAnswer?, any Error>, for request: IncomingRequest) {
        guard case .serving = phase, let context, exchange?.number == request.number else { return }
        if let answer = try? answer.get() {
            send(answer, context: context)
        } else {
            context.fireChannelRead(wrapInboundOut(request))
            context.fireChannelReadComplete()
        }
    }

    /// The route wants the body: the client that waits for the word is told to go on, and reading continues.
    private func bodyWasAsked(ofRequest number: Int) {
        guard case .serving = phase, let context, let exchange, exchange.number == number else { return }
        if exchange.awaitsContinue, exchange.answer == .none, !exchange.isReceived {
            self.exchange?.awaitsContinue = false
            let interim = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
        }
        resumeReading()
    }

    /// Nothing that the client sends from here on can be understood.
    ///
    /// - Parameters:
    ///   - fault: What to answer when no route has the request.
    ///   - isEarlyEnd: The client closed its side instead of sending something wrong.
    func inputFailed(_ fault: ConnectionFault, isEarlyEnd: Bool) {
        // A dead decoder reports every further byte as an error of its own.
        guard isDecoding else { return }
        isInputDead = true
        guard let exchange else {
            reject(fault, isHead: false)
            return
        }
        guard !exchange.isReceived else {
            backlog.append(.fault(fault))
            return
        }
        self.exchange?.closes = true
        exchange.body?.fail(isEarlyEnd ? .endedEarly : .malformed)
        // While the rest is only being dropped, nobody is left to answer.
        if exchange.discardDeadline != nil { finish() }
    }

    /// Ends the exchange once its answer has ended, its route has returned and its request was received, and turns to
    /// the next one.
    func concludeIfDone() {
        guard case .serving = phase, let context, let exchange, exchange.answer == .ended, exchange.isRouteDone
        else { return }
        guard !exchange.closes else {
            finish()
            return
        }
        guard exchange.isReceived else {
            if exchange.discardDeadline == nil {
                self.exchange?.discardDeadline = .now() + limits.headerTimeout
                exchange.body?.abandon()
            }
            resumeReading()
            return
        }
        exchange.body?.abandon()
        self.exchange = nil
        idleSince = .now()
        if isQuiescing {
            finish()
            return
        }
        takeBacklog(context: context)
    }

    private func takeBacklog(context: ChannelHandlerContext) {
        isTakingBacklog = true
        defer { isTakingBacklog = false }
        let before = requestCount
        while case .serving = phase, exchange.map({ !$0.isReceived }) ?? true, let next = backlog.popFirst() {
            switch next {
            case .part(let part): take(part, context: context)
            case .fault(let fault): replay(fault)
            }
        }
        if backlog.isEmpty { gate?.pass() }
        if requestCount != before { context.fireChannelReadComplete() }
        if case .serving = phase, exchange == nil, isInputClosed { finish() }
        resumeReading()
    }

    /// Applies a failure that was decoded behind the requests that have been answered in the meantime.
    private func replay(_ fault: ConnectionFault) {
        if let exchange, !exchange.isReceived {
            self.exchange?.closes = true
            exchange.body?.fail(isInputClosed ? .endedEarly : .malformed)
        } else {
            reject(fault, isHead: false)
        }
    }
}
