public import Hummingbird
public import NIOCore

/// A request context that knows its connection, which lets files leave by `sendfile`.
public protocol ConnectionRequestContext: RequestContext {
    /// The connection that the request came in on.
    var channel: any Channel { get }
}

/// The context that the daemon uses; an embedding application may use any other.
public struct StorageRequestContext: ConnectionRequestContext {
    /// What every context has.
    public var coreContext: CoreRequestContextStorage
    /// The connection that the request came in on.
    public let channel: any Channel

    /// Takes over the connection.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
