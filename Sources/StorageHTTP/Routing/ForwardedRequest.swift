import HTTPTypes

/// What the proxies in front say of a request, walked from the nearest one outwards for as long as each is a trusted one.
struct ForwardedRequest: Equatable {
    /// The outermost sender that a trusted proxy names.
    var address: IPAddress
    /// The scheme and the host that the outermost trusted proxy was asked by, where it tells.
    var scheme: String?
    var host: String?

    /// The fields are believed only where `connection`, the address that the request really came from, is trusted.
    ///
    /// A proxy that writes one kind of these fields and passes on the other would let its client write the other. Where both kinds
    /// are there, only that is believed which both say.
    ///
    /// - Returns: nil where there is nothing to believe.
    init?(_ fields: HTTPFields, from connection: IPAddress, trusted: [IPNetwork]) {
        guard trusted.contains(where: { $0.contains(connection) }) else { return nil }
        let standard = Self.standard(fields, connection, trusted)
        let customary = Self.customary(fields, connection, trusted)
        switch (standard, customary) {
        case (nil, nil): return nil
        case (let one?, nil), (nil, let one?): self = one
        case (let one?, let other?):
            self.init(address: one.address == other.address ? one.address : connection)
            scheme = one.scheme == other.scheme ? one.scheme : nil
            host = one.host == other.host ? one.host : nil
        }
    }

    private init(address: IPAddress) {
        self.address = address
    }

    /// `Forwarded` (RFC 7239).
    private static func standard(
        _ fields: HTTPFields, _ connection: IPAddress, _ trusted: [IPNetwork]
    ) -> ForwardedRequest? {
        let lines = fields[values: .forwarded]
        guard !lines.isEmpty else { return nil }
        var request = ForwardedRequest(address: connection)
        for hop in ForwardedField(lines)?.hops.reversed() ?? [] {
            request.scheme = hop.scheme ?? request.scheme
            request.host = hop.host ?? request.host
            guard request.goOn(to: hop.address, trusted) else { break }
        }
        return request
    }

    /// `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, as proxies are used to write them.
    private static func customary(
        _ fields: HTTPFields, _ connection: IPAddress, _ trusted: [IPNetwork]
    ) -> ForwardedRequest? {
        let addresses = list(fields, .xForwardedFor)
        let schemes = list(fields, .xForwardedProto)
        let hosts = list(fields, .xForwardedHost)
        let ports = list(fields, .xForwardedPort)
        guard !addresses.isEmpty || !schemes.isEmpty || !hosts.isEmpty || !ports.isEmpty else { return nil }
        var request = ForwardedRequest(address: connection)
        // A list that every proxy adds to is as long as that of the addresses; any other has in its last place what the nearest said.
        var place = max(addresses.count, 1)
        func value(_ list: [ArraySlice<UInt8>]) -> ArraySlice<UInt8>? {
            place < list.count && list.count == addresses.count ? list[place] : list.last
        }
        var port: ArraySlice<UInt8>?
        while place > 0 {
            place &-= 1
            request.scheme = value(schemes).flatMap { ForwardedField.scheme($0) } ?? request.scheme
            request.host = value(hosts).flatMap { ForwardedField.host($0) } ?? request.host
            port = value(ports) ?? port
            guard place < addresses.count, request.goOn(to: ForwardedField.address(addresses[place]), trusted) else {
                break
            }
        }
        request.add(port: port)
        return request
    }

    /// Takes over the sender that the proxy at `address` names.
    ///
    /// - Returns: Whether that is a trusted proxy too.
    private mutating func goOn(to sender: IPAddress?, _ trusted: [IPNetwork]) -> Bool {
        guard let sender else { return false }
        address = sender
        return trusted.contains { $0.contains(sender) }
    }

    /// Adds a port that is said apart, where the host has none and the scheme does not mean it anyway.
    private mutating func add(port: ArraySlice<UInt8>?) {
        guard let port, let host, (1...5).contains(port.count), port.allSatisfy(ASCII.isDigit) else { return }
        let text = String(decoding: port, as: UTF8.self)
        let isMeant = text == (scheme == "https" ? "443" : "80")
        let name = Array(host.utf8)
        let hasPort = name.last != UInt8(ascii: "]") && name.contains(ASCII.colon)
        if !isMeant, !hasPort { self.host = "\(host):\(text)" }
    }

    private static func list(_ fields: HTTPFields, _ name: HTTPField.Name) -> [ArraySlice<UInt8>] {
        fields[values: name].flatMap { line in
            Array(line.utf8).split(separator: ASCII.comma, omittingEmptySubsequences: false).map { ASCII.trimmed($0) }
        }
    }
}

extension HTTPField.Name {
    static let forwarded = makeForwarding("Forwarded")
    static let xForwardedFor = makeForwarding("X-Forwarded-For")
    static let xForwardedProto = makeForwarding("X-Forwarded-Proto")
    static let xForwardedHost = makeForwarding("X-Forwarded-Host")
    static let xForwardedPort = makeForwarding("X-Forwarded-Port")

    // The names are tokens, so the other name is never used.
    private static func makeForwarding(_ name: String) -> HTTPField.Name {
        HTTPField.Name(name) ?? .trailer
    }
}
