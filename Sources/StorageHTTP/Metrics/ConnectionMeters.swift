import Metrics

/// What is counted of connections, and of the contents that pass through them.
final class ConnectionMeters: Sendable {
    private let open: Meter
    private let accepted: Counter
    private let receivedBytes: Counter
    private let sentBytes: Counter
    private let factory: any MetricsFactory

    init(_ factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
        open = Meter(label: "http_connections", factory: factory)
        accepted = Counter(label: "http_connections_accepted_total", factory: factory)
        receivedBytes = Counter(label: "http_request_body_bytes_total", factory: factory)
        sentBytes = Counter(label: "http_response_body_bytes_total", factory: factory)
    }

    /// Counts a connection that was accepted.
    func opened() {
        accepted.increment()
        open.increment()
    }

    /// Counts a connection that has ended.
    func closed() {
        open.decrement()
    }

    /// Counts bytes of the content of a request, without their framing.
    func received(_ bytes: Int) {
        receivedBytes.increment(by: bytes)
    }

    /// Counts bytes of the content of an answer, without their framing.
    func sent(_ bytes: Int) {
        sentBytes.increment(by: bytes)
    }

    /// Counts a request that reached no route.
    func refused(_ fault: ConnectionFault) {
        Counter(label: "http_requests_refused_total", dimensions: [("code", fault.code)], factory: factory).increment()
    }
}
