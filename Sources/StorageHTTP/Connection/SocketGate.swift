import NIOCore

/// The handler between the socket and the HTTP/1 codec: shows the connection every byte before it is decoded, drops
/// what is not wanted any more without decoding it, and counts what is sent.
///
/// It also keeps back what arrives while a complete request is being answered. Decoded, a buffer full of tiny requests
/// would take forty times its size.
final class SocketGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private static let maximumHeldBytes = 1 << 20

    private let connection: HTTP1Connection
    private var context: ChannelHandlerContext?
    private var held = CircularBuffer<ByteBuffer>(initialCapacity: 1)
    private var heldBytes = 0
    private var isEndHeld = false
    private var isPassing = false

    init(connection: HTTP1Connection) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.gate = self
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        held.removeAll()
        connection.gate = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard connection.admits(bytes) else { return }
        heldBytes += bytes.readableBytes
        held.append(bytes)
        pass()
        if heldBytes > Self.maximumHeldBytes {
            // Only a client that finished sending gets here: otherwise nothing is read while something is held.
            held.removeAll()
            heldBytes = 0
            connection.exchange?.closes = true
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event, heldBytes > 0 {
            isEndHeld = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Passes on what the connection can take: all of a body, but of what lies behind a request only a little at a
    /// time.
    func pass() {
        guard !isPassing, let context else { return }
        isPassing = true
        defer { isPassing = false }
        while var bytes = held.popFirst() {
            guard connection.isDecoding else {
                held.removeAll()
                heldBytes = 0
                break
            }
            guard let limit = connection.decodableBytes else {
                held.prepend(bytes)
                return
            }
            guard let slice = bytes.readSlice(length: min(limit, bytes.readableBytes)) else { return }
            if bytes.readableBytes > 0 { held.prepend(bytes) }
            heldBytes -= slice.readableBytes
            connection.willDecode(slice)
            context.fireChannelRead(wrapInboundOut(slice))
            connection.didDecode()
        }
        if isEndHeld {
            isEndHeld = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    /// Sends bytes that need no encoding.
    func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        write(context: context, data: wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        connection.wire.submittedBytes += Int64(unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }
}
