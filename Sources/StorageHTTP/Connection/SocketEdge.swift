import NIOCore

/// The handler nearest to the socket, where another such as TLS stands between it and the connection: ends the connection
/// without a word.
///
/// An orderly end of TLS would tell the client that an answer which was cut off is complete, and would wait for a client that
/// takes nothing any more.
final class SocketEdge: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let connection: HTTP1Connection
    private var context: ChannelHandlerContext?

    init(connection: HTTP1Connection) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.edge = self
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection.edge = nil
    }

    func close() {
        context?.close(promise: nil)
    }
}
