import Glibc
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// The ways in which a connection ends.
extension HTTP1Connection {
    /// Answers by itself, as the last thing on this connection.
    func reject(_ fault: ConnectionFault, isHead: Bool) {
        guard case .serving = phase, let context else { return }
        guard context.channel.isActive else {
            close()
            return
        }
        let answer = faultAnswer(fault)
        meters.refused(fault)
        logger.info(
            "Request refused",
            metadata: [
                "event": "request_refused", "code": "\(fault.code)",
                "request_id": "\(answer.headers[.xRequestID] ?? "-")",
                "peer": "\(context.remoteAddress.map(String.init(describing:)) ?? "-")",
            ])
        var headers = HTTPHeaders()
        for field in answer.headers
        where field.name != .connection && field.name != .contentLength && field.name != .transferEncoding {
            headers.add(name: field.name.rawName, value: field.value)
        }
        headers.add(name: "Content-Length", value: String(answer.body.readableBytes))
        headers.add(name: "Connection", value: "close")
        let head = HTTPResponseHead(
            version: exchange?.isVersion10 == true ? .http1_0 : .http1_1,
            status: HTTPResponseStatus(statusCode: answer.status.code, reasonPhrase: answer.status.reasonPhrase),
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead {
            context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        }
        finish(writing: isHead ? .body(.byteBuffer(ByteBuffer())) : .end(nil), promise: nil)
        context.flush()
    }

    /// Writes the last part of the last answer; when it is in the socket, the connection lingers.
    func finish(writing part: HTTPServerResponsePart, promise: EventLoopPromise<Void>?) {
        guard let context else { return }
        enterFinishing()
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.startLingering()
            case .failure: self.close()
            }
        }
        context.write(wrapOutboundOut(part), promise: written)
    }

    /// Ends the connection after an answer that was complete already.
    func finish() {
        guard let context else { return }
        finish(writing: .body(.byteBuffer(ByteBuffer())), promise: nil)
        context.flush()
    }

    /// Ends an idle connection; an answer that was given at once may still be on its way into the socket.
    func closeWhenSent() {
        let pending = (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if pending > 0 { finish() } else { close() }
    }

    private func enterFinishing() {
        phase = .finishing
        isInputDead = true
        if let exchange, !exchange.isReceived { exchange.body?.fail(.endedEarly) }
        exchange = nil
        undelivered = nil
        backlog.removeAll()
        gate?.pass()
        resumeReading()
    }

    /// Closes our side only. A full close while the client is still sending would reset the connection, and the reset
    /// would overtake the answer (RFC 9112 section 9.6).
    private func startLingering() {
        guard case .finishing = phase, let context else { return }
        guard !isInputClosed, limits.drainTime > .nanoseconds(0) else {
            close()
            return
        }
        let deadline = NIODeadline.now() + limits.drainTime
        phase = .lingering(until: deadline)
        scheduleCheck(at: deadline)
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.assumeIsolated().whenFailure { _ in self.close() }
        context.close(mode: .output, promise: closed)
        resumeReading()
    }

    /// Gives up in the middle of an answer, so that the client sees it was cut off.
    func abort() {
        if exchange?.endsWithConnection == true {
            // An orderly close would look like the end of the answer.
            reset()
        } else if exchange?.isReceived == false {
            // The client is still sending: what was written last is to reach it (see `startLingering`).
            finish()
        } else {
            close()
        }
    }

    /// Closes and has the kernel forget what it was still going to send, which for a client that reads nothing is
    /// megabytes for minutes.
    func reset() {
        if let options = context?.channel as? any SocketOptionProvider {
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        guard let edge else { return close() }
        if case .closed = phase { return }
        phase = .closed
        edge.close()
    }

    func close() {
        if case .closed = phase { return }
        phase = .closed
        context?.close(promise: nil)
    }
}
