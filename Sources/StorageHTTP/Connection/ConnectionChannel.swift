import NIOCore

/// The channel that routes get to see: the real one, and the connection above it within reach without asking the event
/// loop.
final class ConnectionChannel: Channel {
    private let base: any Channel
    let connection: NIOLoopBound<HTTP1Connection>
    /// Nothing between the connection and the socket wants to see the bytes.
    let sendsFiles: Bool
    /// The body of the present request.
    let body: RequestBodyStream?

    init(
        _ base: any Channel, connection: NIOLoopBound<HTTP1Connection>, sendsFiles: Bool, body: RequestBodyStream? = nil
    ) {
        self.base = base
        self.connection = connection
        self.sendsFiles = sendsFiles
        self.body = body
    }

    /// The channel for a request with this body.
    func carrying(_ body: RequestBodyStream?) -> ConnectionChannel {
        guard let body else { return self }
        return ConnectionChannel(base, connection: connection, sendsFiles: sendsFiles, body: body)
    }

    var allocator: ByteBufferAllocator { base.allocator }
    var closeFuture: EventLoopFuture<Void> { base.closeFuture }
    var pipeline: ChannelPipeline { base.pipeline }
    var localAddress: SocketAddress? { base.localAddress }
    var remoteAddress: SocketAddress? { base.remoteAddress }
    var parent: (any Channel)? { base.parent }
    var isWritable: Bool { base.isWritable }
    var isActive: Bool { base.isActive }
    var eventLoop: any EventLoop { base.eventLoop }
    var syncOptions: (any NIOSynchronousChannelOptions)? { base.syncOptions }
    // Part of the protocol; NIO itself calls it, always on the channel of a pipeline, which is the real one.
    var _channelCore: any ChannelCore { base._channelCore }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        base.setOption(option, value: value)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        base.getOption(option)
    }
}
