import HTTPTypes
import NIOCore
import StorageCore

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
    /// The connection came from one whose forwarding fields are believed.
    let isTrustedProxy: Bool
    /// The connection came from this very machine, by way of a proxy on it whose fields are not believed.
    var isUntrustedLoopback: Bool { isLoopback && !isDirectLoopback && !isTrustedProxy }
    private let isLoopback: Bool

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
        isTrustedProxy = connection.map { address in trusted.contains { $0.contains(address) } } ?? false
        isLoopback = connection?.isLoopback ?? false
        isDirectLoopback = DirectLoopback.holds(from: connection, fields)
    }

    /// Whose tries are counted: the address, or of IPv6 the network of one subscriber; nil for a client at this very machine.
    var client: ClientAddress? {
        guard !isDirectLoopback, let address else { return nil }
        guard address.ipv4 == nil, !address.isLoopback else { return ClientAddress(address.description) }
        return ClientAddress(IPAddress(high: address.high, low: 0).description + "/64")
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
