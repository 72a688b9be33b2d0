import HTTPTypes
import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Where a request came from")
struct PeerTests {
    /// A request through proxies in 10.0.0.0/8 and at ::1, and what is believed of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var from: String? = "10.0.0.1"
        let fields: [(name: String, value: String)]
        var address: String?
        var scheme = "http"
        var authority = "own.example"

        var testDescription: String { "\(from ?? "-") \(fields.map { "\($0.name): \($0.value)" })" }
    }

    private static let xff = "X-Forwarded-For"

    static let cases: [Case] = [
        Case(fields: [], address: "10.0.0.1"),
        Case(from: nil, fields: [(xff, "192.0.2.1")], address: nil),
        // Not from a trusted proxy: nothing is believed.
        Case(
            from: "203.0.113.9",
            fields: [
                (xff, "192.0.2.1"), ("Forwarded", "for=192.0.2.1;proto=https;host=a"), ("X-Forwarded-Proto", "https"),
            ],
            address: "203.0.113.9"),
        Case(from: "::1", fields: [(xff, "192.0.2.1")], address: "192.0.2.1"),
        Case(from: "::2", fields: [(xff, "192.0.2.1")], address: "::2"),
        Case(fields: [(xff, "192.0.2.1")], address: "192.0.2.1"),
        Case(fields: [(xff, "[2001:db8::1]:4711")], address: "2001:db8::1"),
        // What the client wrote itself stands in front of what the trusted proxies wrote.
        Case(fields: [(xff, "198.51.100.1, 192.0.2.1")], address: "192.0.2.1"),
        Case(fields: [(xff, "198.51.100.1"), (xff, "192.0.2.1")], address: "192.0.2.1"),
        Case(fields: [(xff, "198.51.100.1, 192.0.2.1, 10.9.9.9")], address: "192.0.2.1"),
        Case(fields: [(xff, "10.1.1.1, 10.9.9.9")], address: "10.1.1.1"),
        Case(fields: [(xff, "127.0.0.1, 192.0.2.1")], address: "192.0.2.1"),
        Case(fields: [(xff, "192.0.2.1, unknown")], address: "10.0.0.1"),
        Case(fields: [(xff, "192.0.2.1, nonsense, 10.9.9.9")], address: "10.9.9.9"),
        Case(fields: [(xff, "")], address: "10.0.0.1"), Case(fields: [(xff, "192.0.2.1,")], address: "10.0.0.1"),
        Case(
            fields: [(xff, "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.example")],
            address: "192.0.2.1", scheme: "https", authority: "a.example"),
        Case(fields: [("X-Forwarded-Proto", "https")], address: "10.0.0.1", scheme: "https"),
        Case(fields: [("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Host", "a/b")], address: "10.0.0.1"),
        // One value of many proxies is the nearest one's; a list of all is aligned with the addresses.
        Case(
            fields: [(xff, "192.0.2.1, 10.9.9.9"), ("X-Forwarded-Proto", "https, http")], address: "192.0.2.1",
            scheme: "https"),
        Case(
            fields: [(xff, "198.51.100.1, 192.0.2.1, 10.9.9.9"), ("X-Forwarded-Proto", "http, https, http")],
            address: "192.0.2.1", scheme: "https"),
        Case(
            fields: [(xff, "192.0.2.1"), ("X-Forwarded-Host", "evil.example, a.example")], address: "192.0.2.1",
            authority: "a.example"),
        Case(
            fields: [("X-Forwarded-Host", "a.example"), ("X-Forwarded-Port", "8443")], address: "10.0.0.1",
            authority: "a.example:8443"),
        Case(
            fields: [("X-Forwarded-Host", "a.example"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443")],
            address: "10.0.0.1", scheme: "https", authority: "a.example"),
        Case(
            fields: [("X-Forwarded-Host", "[2001:db8::1]"), ("X-Forwarded-Port", "81")], address: "10.0.0.1",
            authority: "[2001:db8::1]:81"),
        Case(
            fields: [("X-Forwarded-Host", "a.example:1"), ("X-Forwarded-Port", "2")], address: "10.0.0.1",
            authority: "a.example:1"),
        Case(fields: [("X-Forwarded-Port", "8443")], address: "10.0.0.1"),
        Case(
            fields: [("Forwarded", "for=192.0.2.1;proto=https;host=a.example")], address: "192.0.2.1", scheme: "https",
            authority: "a.example"),
        Case(
            fields: [("Forwarded", "for=198.51.100.1;host=evil.example, for=192.0.2.1;proto=https, for=10.9.9.9")],
            address: "192.0.2.1", scheme: "https"),
        Case(fields: [("Forwarded", "for=unknown;proto=https")], address: "10.0.0.1", scheme: "https"),
        Case(fields: [("Forwarded", "for=192.0.2.1;;=;proto=https")], address: "10.0.0.1"),
        // Both kinds: only what both say.
        Case(
            fields: [("Forwarded", "for=192.0.2.1;proto=https"), (xff, "192.0.2.1"), ("X-Forwarded-Proto", "https")],
            address: "192.0.2.1", scheme: "https"),
        Case(fields: [("Forwarded", "for=127.0.0.1;proto=https"), (xff, "192.0.2.1")], address: "10.0.0.1"),
        Case(fields: [("Forwarded", "for=192.0.2.1;host=evil.example"), (xff, "192.0.2.1")], address: "192.0.2.1"),
        Case(fields: [("Forwarded", "nonsense"), (xff, "192.0.2.1")], address: "10.0.0.1"),
    ]

    @Test("is what the trusted proxies say, and no more", arguments: cases)
    func believed(_ test: Case) throws {
        var request = HTTPRequest(method: .get, scheme: "http", authority: "own.example", path: "/")
        for (name, value) in test.fields {
            request.headerFields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        let trusted = try ["10.0.0.0/8", "::1"].map { try #require(IPNetwork($0)) }
        let peer = Peer(request, from: test.from.flatMap { IPAddress(Array($0.utf8)) }, trusted: trusted)
        #expect(peer.address?.description == test.address)
        #expect(peer.scheme == test.scheme)
        #expect(peer.authority == test.authority)

        let unbelieved = Peer(request, from: test.from.flatMap { IPAddress(Array($0.utf8)) }, trusted: [])
        #expect(unbelieved.address?.description == test.from)
        #expect(unbelieved.origin == "http://own.example")
    }

    @Test(
        "is this machine itself only without any sign of a proxy",
        arguments: [
            ("127.0.0.1", nil, true), ("127.9.9.9", nil, true), ("::1", nil, true), ("::ffff:127.0.0.1", nil, true),
            ("192.0.2.1", nil, false), ("10.0.0.1", nil, false), (nil, nil, false), ("127.0.0.1", "Accept", true),
            ("127.0.0.1", "X-Forwarded-For", false), ("127.0.0.1", "x-forwarded-proto", false),
            ("::1", "X-FORWARDED-HOST", false), ("127.0.0.1", "X-Forwarded-Anything", false),
            ("127.0.0.1", "Forwarded", false),
            ("127.0.0.1", "Via", false), ("127.0.0.1", "X-Real-IP", false), ("127.0.0.1", "CF-Connecting-IP", false),
            ("127.0.0.1", "X-Request-ID", true), ("127.0.0.1", "Host", true),
        ] as [(String?, String?, Bool)])
    func directLoopback(from: String?, field: String?, holds: Bool) throws {
        var fields = HTTPFields()
        if let field { fields[try #require(HTTPField.Name(field))] = "" }
        let connection = from.flatMap { IPAddress(Array($0.utf8)) }
        #expect(DirectLoopback.holds(from: connection, fields) == holds)
        // Trust in a proxy does not make its clients local.
        var request = HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/", headerFields: fields)
        request.headerFields[.accept] = "*/*"
        let trusted = try [#require(IPNetwork("127.0.0.0/8")), #require(IPNetwork("::1"))]
        let peer = Peer(request, from: connection, trusted: trusted)
        #expect(peer.isDirectLoopback == holds && !peer.isUntrustedLoopback)
        let isProxied = connection?.isLoopback == true && !holds
        #expect(Peer(request, from: connection, trusted: []).isUntrustedLoopback == isProxied)
    }

    @Test(
        "is counted with what else one subscriber has, and not at all at this very machine",
        arguments: [
            ("192.0.2.7", nil, "192.0.2.7"), ("::ffff:192.0.2.7", nil, "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", nil, "2001:db8:1:2::/64"), ("2001:db8:1:2::", nil, "2001:db8:1:2::/64"),
            ("127.0.0.1", nil, nil), ("::1", nil, nil), (nil, nil, nil),
            ("127.0.0.1", "2001:db8::7", "2001:db8::/64"), ("127.0.0.1", "nonsense", "127.0.0.1"),
            ("::1", "nonsense", "::1"),
        ] as [(String?, String?, String?)])
    func client(from: String?, forwarded: String?, client: String?) throws {
        var request = HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/")
        if let forwarded { request.headerFields[.xForwardedFor] = forwarded }
        let trusted = try [#require(IPNetwork("127.0.0.0/8"))]
        let peer = Peer(request, from: from.flatMap { IPAddress(Array($0.utf8)) }, trusted: trusted)
        #expect(peer.client?.description == client)
    }
}
