public import NIOCore

/// What one client connection may cost: how long it may be silent, how slow it may be, and how much it may send where
/// little is expected.
///
/// Every limit is enforced by ``StorageHTTP1Channel`` for each connection on its own. The defaults suit a server on the
/// open internet; a limit is changed by assigning to it.
///
/// - Important: Durations must be positive. Sizes are bytes and must be positive unless their documentation says
///   otherwise.
public struct ConnectionLimits: Sendable, Equatable {
    /// The longest time from the first byte of a request head to its last, and from accepting a connection to its first
    /// byte.
    ///
    /// A head that was begun is answered with 408, a silent connection is closed without a word.
    public var headerTimeout: TimeAmount = .seconds(15)

    /// The longest time a connection may stay open between two requests.
    public var idleTimeout: TimeAmount = .seconds(60)

    /// The rate, in bytes a second, below which a request body is given up with ``RequestBodyError/tooSlow``; 0
    /// switches the check off.
    ///
    /// Only time counts in which the route waits for bytes that the client has not sent: a server that is slow to read
    /// is never held against the client. The rate is an average over at most ``bodyRateWindow``.
    public var bodyRate: Int = 1_024

    /// How long a body may be slower than ``bodyRate`` from its beginning.
    public var bodyRateGrace: TimeAmount = .seconds(30)

    /// The time over which ``bodyRate`` is averaged: the longest complete pause that a body which was fast enough
    /// before may make.
    public var bodyRateWindow: TimeAmount = .seconds(60)

    /// The longest time in which a client may accept no byte at all while an answer waits to be sent to it.
    public var writeStall: TimeAmount = .seconds(60)

    /// The size of all header fields of a request, names and values, and of any single one. More is answered with 431.
    public var maximumHeaderBytes: Int = 64 * 1_024

    /// The number of header fields of a request, trailers included. More is answered with 431.
    public var maximumHeaderFields: Int = 200

    /// The length of a request target (path and query). More is answered with 414.
    public var maximumTargetBytes: Int = 16 * 1_024

    /// The size of the largest receive buffer, and of the part of a request body that waits in memory for its route.
    ///
    /// A connection begins with small buffers and grows to this size only while it keeps filling them, so a slow upload
    /// stays small.
    public var receiveBufferBytes: Int = 256 * 1_024

    /// How much of an unread request body is read and dropped, without closing the connection, behind an answer that
    /// came early.
    public var quietDiscardBytes: Int = 64 * 1_024

    /// How much is read and dropped after the last answer of a connection, so that the client gets to see it; 0 reads
    /// nothing more.
    public var drainBytes: Int = 16 * 1_024 * 1_024

    /// How long a connection is kept after its last answer for the client to close it.
    public var drainTime: TimeAmount = .seconds(2)

    /// How many connections are served at once; more wait in the listen queue. `nil`: no limit.
    ///
    /// The listener owns this one: pass it on as `ServerConfiguration.availableConnectionsDelegate`.
    public var maximumConnections: Int?

    /// The documented defaults.
    public init() {}

    /// How often each connection compares the clock with its limits: a quarter of the shortest, between 10 ms and 5 s.
    var checkInterval: TimeAmount {
        let shortest = [headerTimeout, idleTimeout, bodyRateGrace, bodyRateWindow, writeStall].min() ?? headerTimeout
        return max(.milliseconds(10), min(.seconds(5), .nanoseconds(shortest.nanoseconds / 4)))
    }
}
