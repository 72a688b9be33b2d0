public import HTTPTypes
import Hummingbird
public import HummingbirdCore
public import Logging
public import Metrics
public import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Hummingbird's HTTP/1 server side, made for large bodies in both directions and for clients that cannot be trusted.
///
/// - A request is answered exactly once. One that never reaches a route (malformed, too large, too slow) is answered by
///   the connection.
/// - `100 Continue` is sent when the route asks for the body, and never otherwise.
/// - The iterator of a request's body ends only after a complete body and else throws ``RequestBodyError``.
/// - An answer that comes before the body was read reaches the client, which then finds the connection closed if much
///   was left.
/// - Every wait for a client is bounded by ``ConnectionLimits``.
/// - Files can be sent from the kernel: ``FileSender``.
///
/// Use it through `HTTPServerBuilder.storage(limits:)`.
public struct StorageHTTP1Channel: ServerChildChannel, HTTPChannelHandler {
    /// A connection that was set up.
    public struct Value: ServerChildChannelValue {
        let asyncChannel: NIOAsyncChannel<IncomingRequest, HTTPResponsePart>
        let connection: NIOLoopBound<HTTP1Connection>
        let routesChannel: ConnectionChannel

        /// The channel as routes see it.
        public var channel: any Channel { routesChannel }
    }

    /// Answers the requests.
    public let responder: HTTPChannelHandler.Responder
    private let limits: ConnectionLimits
    private let isSecure: Bool
    private let faultAnswer: @Sendable (ConnectionFault) -> ConnectionFaultAnswer
    private let recall: Recall?
    private let meters: ConnectionMeters

    /// Answers a request without a body on the event loop, without a task; nil where that cannot be done.
    public typealias Recall = @Sendable (HTTPRequest, SocketAddress?, any EventLoop) -> Recalled<CompleteAnswer>?

    /// - Parameters:
    ///   - responder: Answers the requests.
    ///   - limits: What a connection may cost.
    ///   - isSecure: Whether this channel is wrapped in TLS; makes the scheme of requests `https` and excludes
    ///     ``FileSender``.
    ///   - faultAnswer: Makes the answer to a request that reached no route.
    ///   - recall: Is asked before `responder`, in whose place it may answer.
    ///   - metrics: Where connections and the contents that pass through them are counted.
    public init(
        responder: @escaping HTTPChannelHandler.Responder,
        limits: ConnectionLimits = ConnectionLimits(),
        isSecure: Bool = false,
        faultAnswer: @escaping @Sendable (ConnectionFault) -> ConnectionFaultAnswer = ConnectionFaultAnswer.problem,
        recall: Recall? = nil,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.responder = responder
        self.recall = recall
        self.limits = limits
        self.isSecure = isSecure
        self.faultAnswer = faultAnswer
        meters = ConnectionMeters(metrics)
    }

    /// Fills the pipeline of an accepted connection.
    ///
    /// - Parameters:
    ///   - channel: The accepted connection.
    ///   - logger: Where refused requests are reported.
    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // A handler that came before us, TLS for one, needs the bytes of a file in memory. The text is NIO's;
            // should it change, no file is sent from the kernel any more, which is slower but right.
            let isBare = channel.pipeline.debugDescription.hasSuffix("<no handlers>")
            try setOptions(of: channel)

            let connection = HTTP1Connection(
                limits: limits, isSecure: isSecure, faultAnswer: faultAnswer, recall: recall,
                meters: meters, logger: logger)
            let pipeline = channel.pipeline.syncOperations
            if !isBare { try pipeline.addHandler(SocketEdge(connection: connection), position: .first) }
            try pipeline.addHandler(SocketGate(connection: connection))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false,
                withErrorHandling: false,
                withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: decoderLimits
            )
            try pipeline.addHandler(connection)
            let asyncChannel = try NIOAsyncChannel<IncomingRequest, HTTPResponsePart>(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: false)
            )
            let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
            return Value(
                asyncChannel: asyncChannel,
                connection: bound,
                routesChannel: ConnectionChannel(channel, connection: bound, sendsFiles: isBare && !isSecure)
            )
        }
    }

    private func setOptions(of channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.allowRemoteHalfClosure, value: true)
        // One buffer a turn: what is received beyond what a body may queue would have to be kept all the same.
        try options.setOption(.maxMessagesPerRead, value: 1)
        try options.setOption(.recvAllocator, value: ReceiveBufferSizing(largest: limits.receiveBufferBytes))
        // Does not exist on a Unix domain socket.
        try? options.setOption(.tcpOption(.tcp_nodelay), value: 1)
    }

    /// The decoder counts target and fields together; which of them is too large is decided on the complete head.
    private var decoderLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldCount = self.limits.maximumHeaderFields
        limits.maxHeaderFieldSize = max(self.limits.maximumHeaderBytes, self.limits.maximumTargetBytes)
        limits.maxHeaderListSize = self.limits.maximumHeaderBytes + self.limits.maximumTargetBytes
        return limits
    }

    /// Answers the requests of a connection, one after the other, until it ends.
    ///
    /// - Parameters:
    ///   - value: The connection.
    ///   - logger: Where a connection that broke is traced.
    public func handle(value: Value, logger: Logger) async {
        let channel = value.asyncChannel.channel
        do {
            try await withTaskCancellationHandler {
                try await value.asyncChannel.executeThenClose { inbound, outbound in
                    for try await request in inbound {
                        await answer(request, of: value, outbound: outbound, logger: logger)
                    }
                }
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch {
            logger.trace("Connection broke", metadata: ["error": "\(error)"])
        }
    }

    private func answer(
        _ request: IncomingRequest,
        of value: Value,
        outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>,
        logger: Logger
    ) async {
        let body = request.body.map { RequestBody(asyncSequence: $0) } ?? RequestBody(buffer: ByteBuffer())
        do {
            try await responder(
                Request(head: request.head, body: body), ResponseWriter(outbound: outbound),
                value.routesChannel.carrying(request.body))
        } catch {
            logger.trace("Answer broke off", metadata: ["error": "\(error)"])
        }
        let connection = value.connection
        value.routesChannel.eventLoop.execute { connection.value.routeEnded(request: request.number) }
    }
}

extension HTTPServerBuilder {
    /// Builds a server on ``StorageHTTP1Channel``.
    ///
    /// - Parameters:
    ///   - limits: What a connection may cost.
    ///   - isSecure: Whether the result is wrapped in TLS.
    ///   - faultAnswer: Makes the answer to a request that reached no route.
    ///   - recall: Answers from memory; see ``StorageRoutes/recall(_:from:on:)``.
    ///   - metrics: Where connections and the contents that pass through them are counted.
    public static func storage(
        limits: ConnectionLimits = ConnectionLimits(),
        isSecure: Bool = false,
        faultAnswer: @escaping @Sendable (ConnectionFault) -> ConnectionFaultAnswer = ConnectionFaultAnswer.problem,
        recall: StorageHTTP1Channel.Recall? = nil,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            StorageHTTP1Channel(
                responder: responder, limits: limits, isSecure: isSecure, faultAnswer: faultAnswer, recall: recall,
                metrics: metrics)
        }
    }
}
