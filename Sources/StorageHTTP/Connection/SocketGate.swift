import NIOCore

/// The handler between the socket and the HTTP/1 codec: shows the connection every byte before it is decoded, drops what is not wanted any
/// more without decoding it, and counts what is sent.
final class SocketGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let connection: HTTP1Connection

    init(connection: HTTP1Connection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard connection.admits(bytes) else { return }
        connection.wire.silentBytes += bytes.readableBytes
        context.fireChannelRead(data)
        connection.didDecode(bytes: bytes.readableBytes)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        connection.wire.submittedBytes += Int64(unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }
}
