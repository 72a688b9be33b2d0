import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Has the kernel acknowledge at once what came over a connection.
///
/// A service that sends the head of an answer and its body apart, and waits for one to be acknowledged before it sends the other (Nagle's
/// algorithm, RFC 9293 section 3.7.4), would send the body of a small answer only when the kernel's 40 ms of patience are over:
/// radosgw does, unless it is configured otherwise. The kernel forgets the option, so it is set after every read.
final class QuickAcknowledgement: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let option = ChannelOptions.Types.SocketOption(
        level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_QUICKACK))

    func channelReadComplete(context: ChannelHandlerContext) {
        // A connection that is closed by now needs none.
        try? context.channel.syncOptions?.setOption(Self.option, value: 1)
        context.fireChannelReadComplete()
    }
}
