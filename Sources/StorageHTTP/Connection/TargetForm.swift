import HTTPTypes

/// The request target of a request line (RFC 9112 section 3.2), split into what a route sees.
struct TargetForm {
    /// Path and query as they were sent, not decoded; `*` for the whole server.
    let path: String
    /// The host of an absolute target, which overrides the `Host` field.
    let authority: String?

    init(_ target: String, method: HTTPRequest.Method) throws(ConnectionFault) {
        let octets = target.utf8
        // Visible ASCII only. `#` begins a fragment, which is never sent. A decoder's replacement of invalid UTF-8 is
        // not ASCII either.
        guard let first = octets.first,
            octets.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
        else { throw .malformedRequest }

        if first == UInt8(ascii: "/") {
            path = target
            authority = nil
        } else if octets.count == 1, first == UInt8(ascii: "*"), method == .options {
            path = target
            authority = nil
        } else {
            guard let rest = Self.afterScheme(octets) else { throw .malformedRequest }
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            let host = rest[..<end]
            guard !host.isEmpty, Octets.isAuthority(host) else { throw .malformedRequest }
            authority = String(Substring(host))
            let tail = String(Substring(rest[end...]))
            path = rest[end...].first == UInt8(ascii: "/") ? tail : "/" + tail
        }
    }

    private static func afterScheme(_ octets: String.UTF8View) -> Substring.UTF8View? {
        for scheme in ["http://", "https://"] as [StaticString]
        where Octets.equal(octets.prefix(scheme.utf8CodeUnitCount), scheme) {
            return octets.dropFirst(scheme.utf8CodeUnitCount)
        }
        return nil
    }
}
