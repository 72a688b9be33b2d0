import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// One client connection: takes requests from the HTTP/1 codec one at a time, passes on one answer to each, and decides
/// when the connection reads, waits and ends.
///
/// It sits directly above the codec, so that it can send what the HTTP types above cannot express: interim answers,
/// file regions, and answers of its own. All of it runs on the channel's event loop.
///
/// Requests go up as ``IncomingRequest``; a request that follows in the same read waits here until the answer before it
/// has ended *and* its route has returned. So there is never more than one exchange, and a second answer has nowhere to
/// go.
final class HTTP1Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = IncomingRequest
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// Requests are accepted.
        case serving
        /// The last answer is being written; what the client still sends is dropped.
        case finishing
        /// The last answer was sent and our side is closed; the client gets a moment to read it.
        case lingering(until: NIODeadline)
        case closed
    }

    /// Something that was decoded while another request was being answered.
    enum Backlogged {
        case part(HTTPServerRequestPart)
        case fault(ConnectionFault)
    }

    let limits: ConnectionLimits
    let isSecure: Bool
    let faultAnswer: @Sendable (ConnectionFault) -> ConnectionFaultAnswer
    let recall: StorageHTTP1Channel.Recall?
    let meters: ConnectionMeters
    let logger: Logger

    var context: ChannelHandlerContext?
    /// Keeps back what was received too early; it holds this object, and lets go of it with the pipeline.
    var gate: SocketGate?
    /// Ends the connection below what encrypts it; nil where nothing does. It lets go as the gate does.
    var edge: SocketEdge?
    var phase = Phase.serving
    var exchange: Exchange?
    var backlog = CircularBuffer<Backlogged>(initialCapacity: 1)
    /// Where the connection comes from: asked of the system once.
    private(set) lazy var remoteAddress = context?.remoteAddress
    var requestCount = 0
    /// A request that no route has yet: an answer may be at hand once its end is there.
    var undelivered: IncomingRequest?
    /// How many more answers may be given at once before other connections of the event loop get their turn.
    var recallsLeft = 0
    /// What waited is being taken in: an answer at once would come to that again, deeper with every request.
    var isTakingBacklog = false
    /// The decoder cannot make anything of further bytes.
    var isInputDead = false
    /// The client has closed its side.
    var isInputClosed = false
    var isQuiescing = false
    /// A read was asked for while nothing should be read.
    var isReadHeld = false
    /// When the connection was opened or last became idle.
    var idleSince = NIODeadline.now()
    var nextCheck = NIODeadline.now()
    var wire = WireCounters()

    init(
        limits: ConnectionLimits,
        isSecure: Bool,
        faultAnswer: @escaping @Sendable (ConnectionFault) -> ConnectionFaultAnswer,
        recall: StorageHTTP1Channel.Recall? = nil,
        meters: ConnectionMeters,
        logger: Logger
    ) {
        self.limits = limits
        self.isSecure = isSecure
        self.faultAnswer = faultAnswer
        self.recall = recall
        self.meters = meters
        self.logger = logger
    }

    // MARK: Lifecycle

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        meters.opened()
        idleSince = .now()
        scheduleNextCheck()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        release()
        meters.closed()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        release()
        context.fireChannelInactive()
    }

    private func release() {
        phase = .closed
        let body = exchange?.body
        exchange = nil
        undelivered = nil
        backlog.removeAll()
        body?.fail(.endedEarly)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            // Not passed on: requests that are waiting here would be lost with the sequence above.
            inputClosed(context: context)
        case is ChannelShouldQuiesceEvent:
            quiesce()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as HTTPParserError:
            inputFailed(fault(for: error), isEarlyEnd: error == .invalidEOFState)
        case is ByteToMessageDecoderError:
            inputFailed(.malformedRequest, isEarlyEnd: false)
        default:
            context.fireErrorCaught(error)
            close()
        }
    }

    private func fault(for error: HTTPParserError) -> ConnectionFault {
        guard error == .headerOverflow else { return .malformedRequest }
        return wire.isFirstLineOpen ? .targetTooLong : .headersTooLarge
    }

    private func inputClosed(context: ChannelHandlerContext) {
        isInputClosed = true
        switch phase {
        case .serving:
            if let exchange, !exchange.isReceived {
                inputFailed(.malformedRequest, isEarlyEnd: true)
            } else if exchange == nil, backlog.isEmpty {
                closeWhenSent()
            }
        case .lingering:
            close()
        case .finishing, .closed:
            break
        }
    }

    private func quiesce() {
        isQuiescing = true
        if exchange != nil {
            exchange?.closes = true
        } else if case .serving = phase {
            closeWhenSent()
        }
    }
}
