import HTTPTypes
import Hummingbird

extension Call.Services {
    /// Refuses a change that a page of another origin makes a browser ask for (Fetch standard, `Sec-Fetch-Site` and `Origin`).
    ///
    /// A browser may have cached Basic credentials and sends them with it; clients that are no browsers send neither field.
    func refuseForeignOrigin(_ request: Request, from peer: Peer) throws {
        switch request.method {
        case .get, .head, .options: return
        default: break
        }
        let headers = request.headers
        let origin = headers[.origin]
        if let origin, crossOrigin.allows(origin, headers) { return }
        let isCrossSite = headers[.secFetchSite] == "cross-site"
        let isForeign = origin.map { !isOwn($0, peer) } ?? false
        guard !isCrossSite, !isForeign else {
            throw Problem(.forbidden, "foreign_origin", "A page of another origin may not change anything here.")
        }
    }

    /// Whether an origin is this server, by the host that the client asked for or by the URL that it is known under. A proxy may take
    /// TLS off without telling, so both schemes are its own.
    private func isOwn(_ origin: String, _ peer: Peer) -> Bool {
        let origin = Array(origin.utf8)
        if let own = publicURL.map({ Self.origin(of: Array($0.utf8)) }), origin.elementsEqual(own) { return true }
        guard let authority = peer.authority else { return false }
        let host = ASCII.lowercased(authority.utf8)
        return [("http://", ":80"), ("https://", ":443")].contains { scheme, port in
            // A browser leaves out the port that the scheme has anyway; a proxy may add it.
            let hasPort = host.reversed().starts(with: port.utf8.reversed())
            return origin.elementsEqual(Array(scheme.utf8) + (hasPort ? host.dropLast(port.utf8.count) : host[...]))
        }
    }

    /// Scheme and host of an absolute URL, in lower case.
    private static func origin(of url: [UInt8]) -> [UInt8] {
        var slashes = 0
        return ASCII.lowercased(
            url.prefix {
                if $0 == ASCII.slash { slashes &+= 1 }
                return slashes < 3
            })
    }
}
