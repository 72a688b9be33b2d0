import HTTPTypes
import NIOCore

/// One line of the table that everything about routes is derived from: dispatch, HEAD, 405 with Allow, OPTIONS, labels.
struct Route: Sendable {
    /// Answers a request to the route.
    typealias Action = @Sendable (Call) async throws -> Answer
    /// Whether a request to the path is meant for the route, by its fields and query.
    typealias Condition = @Sendable (HTTPFields, FormURLEncoded) -> Bool
    /// Answers a request without a task, mostly from what is in memory; nil, or a throw, where the action has to.
    typealias Recall = @Sendable (Call, any EventLoop) throws -> Recalled<Answer>?

    let method: HTTPRequest.Method
    /// The path; a last segment `{name}` takes the rest of the path, slashes included.
    let path: String
    /// Tells apart the dialects that share a path; a route without one is for every request. Of several the first that holds counts.
    let condition: Condition?
    let action: Action
    /// The short way to the answer that the action would give, where the route has one.
    var recall: Recall?
    /// Counts the requests; nil outside a table.
    fileprivate(set) var meter: RouteMeter?

    /// What comes before the rest of the path; nil where the route takes none.
    let prefix: [UInt8]?
    /// How many segments that are.
    let restAfter: Int?

    init(
        _ method: HTTPRequest.Method, _ path: String, where condition: Condition? = nil, _ action: @escaping Action
    ) {
        self.method = method
        self.path = path
        self.condition = condition
        self.action = action
        prefix = path.utf8.firstIndex(of: UInt8(ascii: "{")).map { Array(path.utf8[..<$0]) }
        restAfter = prefix?.split(separator: UInt8(ascii: "/")).count
    }

    /// Whether the route answers the method; HEAD is a GET whose content stays behind.
    func answers(_ method: HTTPRequest.Method) -> Bool {
        method == self.method || method == .head && self.method == .get
    }
}

/// All routes, found by the path of a request as it was sent.
struct RouteTable: Sendable {
    /// The routes of one path.
    struct Resource: Sendable {
        /// The path as the table has it: a label of bounded variety.
        let path: String
        /// Counts the requests that no route of it takes.
        let meter: RouteMeter
        /// Those of a longer path first: a name that one dialect reserves is an ordinary one to the others.
        var routes: [Route] = []

        /// Whether requests are not counted: who asks whether the server is well is to be told so.
        var isUncounted: Bool { path == "/healthz" || path == "/readyz" }

        /// The routes that a request with these fields and this query may be meant for, whatever its method.
        func routes(for headers: HTTPFields, _ query: FormURLEncoded) -> [Route] {
            routes.filter { $0.condition?(headers, query) ?? true }
        }
    }

    private var exact: [[UInt8]: Resource] = [:]
    /// By the path before the rest, with its slash; the longest first.
    private var open: [(prefix: [UInt8], resource: Resource)] = []

    init(_ routes: [Route], _ meters: RequestMeters = RequestMeters()) {
        var known: [String: RouteMeter] = [:]
        for var route in routes {
            let meter = known[route.path] ?? meters.meter(of: route.path)
            known[route.path] = meter
            route.meter = meter
            if let prefix = route.prefix {
                add(route, meter, prefix: prefix)
            } else {
                exact[Array(route.path.utf8), default: Resource(path: route.path, meter: meter)].routes.append(route)
            }
        }
        open.sort { $0.prefix.count > $1.prefix.count }
        for index in open.indices {
            let prefix = open[index].prefix
            for (other, resource) in open[(index + 1)...] where prefix.starts(with: other) {
                open[index].resource.routes += resource.routes
            }
        }
    }

    private mutating func add(_ route: Route, _ meter: RouteMeter, prefix: [UInt8]) {
        let index = open.firstIndex { $0.prefix == prefix } ?? open.endIndex
        if index == open.endIndex { open.append((prefix, Resource(path: route.path, meter: meter))) }
        open[index].resource.routes.append(route)
    }

    /// The resource that a raw path names; a slash at its end does not matter.
    func resource(at path: [UInt8]) -> Resource? {
        var end = path.count
        while end > 1, path[end - 1] == UInt8(ascii: "/") { end -= 1 }
        if let resource = exact[end == path.count ? path : Array(path[..<end])] { return resource }
        return open.first { path.count > $0.prefix.count && path.starts(with: $0.prefix) }?.resource
    }
}

extension [Route] {
    /// The methods that these routes know, in the form of `Allow` (RFC 9110 section 10.2.1).
    var allow: String {
        var methods = Set(map(\.method.rawValue))
        if methods.contains("GET") { methods.insert("HEAD") }
        methods.insert("OPTIONS")
        return methods.sorted().joined(separator: ", ")
    }
}
