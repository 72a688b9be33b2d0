import HTTPTypes

/// Pages of which other origins may use this server from a browser (Fetch standard, section "CORS protocol").
///
/// A browser never sends along what it remembers: pages bring their own credentials in `Authorization` or `X-Auth-Token`.
public struct CrossOriginPolicy: Sendable, Equatable {
    private enum Origins: Equatable {
        case any
        /// In the form in which browsers send them.
        case these(Set<String>)
    }

    private let origins: Origins

    /// No other origin than the server's own.
    public static let none = CrossOriginPolicy(origins: .these([]))

    private init(origins: Origins) {
        self.origins = origins
    }

    /// Reads `*`, or origins with commas between them (`https://app.example, http://localhost:5173`); nil for anything else.
    ///
    /// An origin is a scheme and a host, with a port unless it is the scheme's own: what is beyond that is not part of it.
    public init?(_ text: String) {
        let parts = Array(text.utf8).split(separator: ASCII.comma, omittingEmptySubsequences: false).map {
            ASCII.trimmed($0)
        }
        if parts.count == 1, parts[0].elementsEqual([ASCII.asterisk]) {
            self.init(origins: .any)
            return
        }
        var origins: Set<String> = []
        for part in parts {
            guard let origin = Self.origin(part) else { return nil }
            origins.insert(origin)
        }
        self.init(origins: .these(origins))
    }

    /// Whether a page of this origin may do more than read what everybody may read.
    ///
    /// Where every origin is allowed, two kinds of requests are not: what sends the browser itself here, a form or a link, and what
    /// comes with Basic credentials, which a browser remembers and adds by itself.
    func allows(_ origin: String, _ request: HTTPFields) -> Bool {
        switch origins {
        case .any: request[.secFetchMode] ?? "cors" == "cors" && !Self.isBasic(request[values: .authorization])
        case .these(let origins): origins.contains(origin)
        }
    }

    private static func isBasic(_ lines: [String]) -> Bool {
        lines.contains { ASCII.equals($0.utf8.prefix(5), lowercase: "basic") }
    }

    /// Adds the fields that let the page read the answer, and caches tell answers for several origins apart.
    func permit(_ request: HTTPFields, in headers: inout HTTPFields) {
        switch origins {
        case .these(let origins) where origins.isEmpty: return
        case .these(let origins):
            headers[.vary] = headers[.vary].map { "\($0), Origin" } ?? "Origin"
            guard let origin = request[.origin], origins.contains(origin) else { return }
            headers[.accessControlAllowOrigin] = origin
        case .any:
            // To everybody: a cache may keep what it got without a page behind it.
            headers[.accessControlAllowOrigin] = "*"
        }
        headers[.accessControlExposeHeaders] = Self.exposed
    }

    /// The answer to a browser that asks before it sends a request; nil where the request asks nothing, or nothing is allowed.
    ///
    /// - Parameter methods: The methods that the path knows.
    func preflight(_ request: HTTPFields, methods: String) -> HTTPFields? {
        guard let origin = request[.origin], request[.accessControlRequestMethod] != nil, allows(origin, request) else {
            return nil
        }
        return [
            .accessControlAllowMethods: methods, .accessControlAllowHeaders: Self.allowed,
            .accessControlMaxAge: "7200",
        ]
    }

    private static let exposed =
        "Accept-Ranges, Allow, Content-Disposition, Content-Range, ETag, Link, Location, Repr-Digest, Retry-After, "
        + "WWW-Authenticate, X-Request-ID"

    private static let allowed =
        "Authorization, Cache-Control, Content-Digest, Content-MD5, Content-Type, If-Match, If-Modified-Since, "
        + "If-None-Match, If-Range, If-Unmodified-Since, Range, Repr-Digest, traceparent, tracestate, Want-Repr-Digest, "
        + "X-Auth-Token, X-Request-ID"

    /// An origin as browsers write it: in lower case, without the port that its scheme has anyway.
    private static func origin(_ text: ArraySlice<UInt8>) -> String? {
        let text = ASCII.lowercased(text)
        for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where text.starts(with: scheme.utf8) {
            var host = text.dropFirst(scheme.utf8.count)
            guard Authority.isValid(host) else { return nil }
            if host.reversed().starts(with: port.utf8.reversed()) { host = host.dropLast(port.utf8.count) }
            return scheme + String(decoding: host, as: UTF8.self)
        }
        return nil
    }
}
