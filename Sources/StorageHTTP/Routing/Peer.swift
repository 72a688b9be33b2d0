import HTTPTypes
import NIOCore

/// Where a request came from and how its sender calls this server, as far as that can be believed.
struct Peer: Equatable, Sendable {
    /// The client; nil where the connection has no address.
    let address: IPAddress?
    /// `http` or `https`, as the client used it.
    let scheme: String
    private let forwardedHost: String?
    private let ownHost: String?
    /// The client sits at this very machine, with no proxy in between.
    let isDirectLoopback: Bool

    /// - Parameters:
    ///   - connection: The address that the connection came from.
    ///   - trusted: Whose forwarding fields are believed.
    init(_ request: HTTPRequest, from connection: IPAddress?, trusted: [IPNetwork]) {
        let fields = request.headerFields
        let forwarded =
            trusted.isEmpty
            ? nil : connection.flatMap { ForwardedRequest(fields, from: $0, trusted: trusted) }
        address = forwarded?.address ?? connection
        scheme = forwarded?.scheme ?? request.scheme ?? "http"
        forwardedHost = forwarded?.host
        ownHost = request.authority
        isDirectLoopback = DirectLoopback.holds(from: connection, fields)
    }

    /// The host and port that the client asked for; nil for none, or one that is malformed.
    var authority: String? {
        forwardedHost ?? ownHost.flatMap { ForwardedField.host($0.utf8) }
    }

    /// Scheme and host in the form of `Origin` (RFC 6454 section 6.1).
    var origin: String? {
        authority.map { "\(scheme)://\($0)" }
    }
}

extension IPAddress {
    /// The address of a socket; nil for one that is not of the internet.
    init?(_ address: SocketAddress?) {
        // Where the address is in what the system calls sockaddr_in and sockaddr_in6.
        let place: Range<Int>
        switch address {
        case .v4: place = 4..<8
        case .v6: place = 8..<24
        case .unixDomainSocket, nil: return nil
        }
        let bytes = address?.withSockAddr { Array(UnsafeRawBufferPointer(start: $0, count: $1)) } ?? []
        guard bytes.count >= place.upperBound else { return nil }
        self.init(octets: bytes[place])
    }
}
