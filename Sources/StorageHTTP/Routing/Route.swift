import HTTPTypes

/// One line of the table that everything about routes is derived from: dispatch, HEAD, 405 with Allow, OPTIONS, labels.
struct Route: Sendable {
    /// Answers a request to the route.
    typealias Action = @Sendable (Call) async throws -> Answer

    let method: HTTPRequest.Method
    /// The path; a last segment `{name}` takes the rest of the path, slashes included.
    let path: String
    let action: Action

    init(_ method: HTTPRequest.Method, _ path: String, _ action: @escaping Action) {
        self.method = method
        self.path = path
        self.action = action
    }
}

/// All routes, found by the path of a request as it was sent.
struct RouteTable: Sendable {
    /// The routes of one path.
    struct Resource: Sendable {
        /// The path as the table has it: a label of bounded variety.
        let path: String
        /// How many segments come before the rest; nil where there is none.
        let restAfter: Int?
        var actions: [HTTPRequest.Method: Route.Action] = [:]

        /// The methods that the path knows, in the form of `Allow` (RFC 9110 section 10.2.1).
        var allow: String {
            var methods = Set(actions.keys.map(\.rawValue))
            if actions[.get] != nil { methods.insert("HEAD") }
            methods.insert("OPTIONS")
            return methods.sorted().joined(separator: ", ")
        }

        /// The action for a method; HEAD is a GET whose content stays behind.
        func action(for method: HTTPRequest.Method) -> Route.Action? {
            actions[method] ?? (method == .head ? actions[.get] : nil)
        }
    }

    private var exact: [[UInt8]: Resource] = [:]
    /// By the path before the rest, with its slash.
    private var open: [(prefix: [UInt8], resource: Resource)] = []

    init(_ routes: [Route]) {
        for route in routes {
            if let brace = route.path.utf8.firstIndex(of: UInt8(ascii: "{")) {
                add(route, prefix: Array(route.path.utf8[..<brace]))
            } else {
                let key = Array(route.path.utf8)
                var resource = exact[key] ?? Resource(path: route.path, restAfter: nil)
                resource.actions[route.method] = route.action
                exact[key] = resource
            }
        }
    }

    private mutating func add(_ route: Route, prefix: [UInt8]) {
        let index = open.firstIndex { $0.prefix == prefix } ?? open.endIndex
        if index == open.endIndex {
            let segments = prefix.split(separator: UInt8(ascii: "/")).count
            open.append((prefix, Resource(path: route.path, restAfter: segments)))
        }
        open[index].resource.actions[route.method] = route.action
    }

    /// The resource that a raw path names; a slash at its end does not matter.
    func resource(at path: [UInt8]) -> Resource? {
        var end = path.count
        while end > 1, path[end - 1] == UInt8(ascii: "/") { end -= 1 }
        if let resource = exact[end == path.count ? path : Array(path[..<end])] { return resource }
        return open.first { path.count > $0.prefix.count && path.starts(with: $0.prefix) }?.resource
    }
}
