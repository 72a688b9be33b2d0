import NIOCore
import NIOHTTP1

/// Ends a connection with an answer to HEAD that names a transfer coding instead of a length.
///
/// Such an answer has no body all the same (RFC 9112 section 6.3), but OpenStack Swift's `404` is followed by the last chunk of one.
/// These bytes would be taken for the beginning of the next answer, and the request that it belongs to would fail.
final class HeadAnswers: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// Whether the latest request was one; there is one at a time.
    private var isHead = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head(let head) = unwrapOutboundIn(data) { isHead = head.method == .HEAD }
        context.write(data, promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isHead, case .head(var head) = unwrapInboundIn(data), head.headers.contains(name: "Transfer-Encoding")
        else { return context.fireChannelRead(data) }
        // As if the service had said so: the connection is not used again.
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
