import HTTPTypes
import Metrics
import Synchronization

/// What is counted of the requests that the routes answer.
///
/// Handles are made once and kept by place, so that a request costs no look-up: by route, method, and status.
final class RequestMeters: Sendable {
    private let factory: any MetricsFactory
    private let inFlight: Meter
    /// Of requests for which there is no route.
    let unmatched: RouteMeter

    init(_ factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
        inFlight = Meter(label: "http_requests_in_flight", factory: factory)
        unmatched = RouteMeter(path: "-", factory)
    }

    /// Counts a request that is being answered from now on.
    func began() {
        inFlight.increment()
    }

    /// Counts a request that is not answered any more.
    func ended() {
        inFlight.decrement()
    }

    /// The meter of a path of the route table, with its `{…}`: a label of bounded variety.
    func meter(of path: String) -> RouteMeter { RouteMeter(path: path, factory) }
}

/// What is counted of the requests to one path of the route table.
final class RouteMeter: Sendable {
    let path: String
    private let factory: any MetricsFactory
    private let methods: [Once<MethodMeter>]

    init(path: String, _ factory: any MetricsFactory) {
        self.path = path
        self.factory = factory
        methods = (0...Self.names.count).map { _ in Once() }
    }

    /// Counts a request that was answered.
    ///
    /// - Parameter nanoseconds: How long that took.
    func answered(_ method: HTTPRequest.Method, _ status: Int, in nanoseconds: Int64) {
        let place = Self.names.firstIndex(of: method) ?? Self.names.endIndex
        let meter = methods[place].value {
            MethodMeter([("route", path), ("method", place < Self.names.count ? method.rawValue : "other")], factory)
        }
        meter.answered(status, in: nanoseconds)
    }

    /// All other words are one to the meter: a client may send any.
    private static let names: [HTTPRequest.Method] = [.get, .head, .put, .post, .delete, .options, .patch]
}

/// What is counted of the requests to one path with one method.
private final class MethodMeter: Sendable {
    private let labels: [(String, String)]
    private let factory: any MetricsFactory
    private let duration: Timer
    private let statuses: [Once<Counter>]

    init(_ labels: [(String, String)], _ factory: any MetricsFactory) {
        self.labels = labels
        self.factory = factory
        duration = Timer(label: "http_request_duration_seconds", dimensions: labels, factory: factory)
        statuses = Self.codes.map { _ in Once() }
    }

    func answered(_ status: Int, in nanoseconds: Int64) {
        let place = Self.places.indices.contains(status) ? Self.places[status] : Self.codes.count - 1
        let counter = statuses[place].value {
            let code = String(Self.codes[place])
            return Counter(label: "http_requests_total", dimensions: labels + [("status", code)], factory: factory)
        }
        counter.increment()
        duration.recordNanoseconds(nanoseconds)
    }

    /// The statuses that are told apart, registered ones (RFC 9110 section 15, RFC 4918, RFC 6585); all others count as the last.
    private static let codes = Array(200...208) + Array(300...308) + Array(400...431) + Array(500...511) + [599]
    /// Where each is.
    private static let places = (0..<600).map { codes.firstIndex(of: $0) ?? codes.count - 1 }
}

/// A place for an object that is made when it is first asked for.
private final class Once<Value: AnyObject & Sendable>: Sendable {
    private let reference = AtomicLazyReference<Value>()

    func value(_ make: () -> Value) -> Value {
        reference.load() ?? reference.storeIfNil(make())
    }
}
