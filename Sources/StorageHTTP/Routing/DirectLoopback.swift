import HTTPTypes

/// Whether a request comes from this very machine and not through a proxy on it: the rule for what a local user may do without
/// credentials.
///
/// Any sign of a proxy ends it, whoever wrote it and whether or not that proxy is trusted: a server behind a proxy on the same
/// machine sees all of its clients at a loopback address.
enum DirectLoopback {
    /// - Parameter connection: The address that the connection came from; nil where it is not known.
    static func holds(from connection: IPAddress?, _ fields: HTTPFields) -> Bool {
        guard let connection, connection.isLoopback else { return false }
        return !fields.contains { isSignOfProxy($0.name.canonicalName) }
    }

    private static func isSignOfProxy(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return bytes.starts(with: "x-forwarded".utf8) || names.contains(name)
    }

    private static let names: Set<String> = [
        "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-forwarded-for",
        "x-envoy-external-address", "cf-connecting-ip", "true-client-ip", "fastly-client-ip", "client-ip",
        "x-original-host", "x-proxyuser-ip", "proxy-connection",
    ]
}
