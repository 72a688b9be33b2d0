import Testing

@testable import StorageHTTP

@Suite("The Forwarded field")
struct ForwardedFieldTests {
    private static func hop(_ address: String?, _ scheme: String? = nil, _ host: String? = nil) -> ForwardedField.Hop {
        .init(address: address.flatMap { IPAddress(Array($0.utf8)) }, scheme: scheme, host: host)
    }

    @Test(
        "is read hop by hop",
        arguments: [
            (["for=192.0.2.1"], [hop("192.0.2.1")]), (["For=192.0.2.1;Proto=HTTPS"], [hop("192.0.2.1", "https")]),
            (["for=192.0.2.1, for=198.51.100.7"], [hop("192.0.2.1"), hop("198.51.100.7")]),
            (["for=192.0.2.1", "for=198.51.100.7"], [hop("192.0.2.1"), hop("198.51.100.7")]),
            ([#"for="[2001:db8::1]:4711";host="a.example:8443""#], [hop("2001:db8::1", nil, "a.example:8443")]),
            ([#"for="192.0.2.1:80""#], [hop("192.0.2.1")]), ([#"for="192.0.2.1:_x""#], [hop(nil)]),
            (["for=unknown;proto=https"], [hop(nil, "https")]), (["for=_hidden"], [hop(nil)]),
            (["by=203.0.113.1;for=192.0.2.1;proto=ftp"], [hop("192.0.2.1")]),
            ([" for=192.0.2.1 ; proto=http ,\tfor=198.51.100.7 "], [hop("192.0.2.1", "http"), hop("198.51.100.7")]),
            ([#"for=192.0.2.1;secret="a\"b,c;d=e""#], [hop("192.0.2.1")]),
            (["for=192.0.2.1;;proto=http;"], [hop("192.0.2.1", "http")]),
            ([""], []), ([","], []), ([", for=192.0.2.1 ,,"], [hop("192.0.2.1")]),
            ([#"host="a/b""#], [hop(nil)]), ([#"host="a b""#], [hop(nil)]), ([#"host="user@a""#], [hop(nil)]),
        ] as [([String], [ForwardedField.Hop])])
    func reads(lines: [String], hops: [ForwardedField.Hop]) throws {
        #expect(ForwardedField(lines)?.hops == hops)
    }

    @Test(
        "that is malformed is none",
        arguments: [
            "for", "for=", "=x", "for=192.0.2.1:80", "for=[::1]", #"for="192.0.2.1"#, #"for="a\"#, "for=1;for=2",
            "for=1 proto=http",
            "for=1;proto=http x", "host=a.example:8443", #"for="1"2"#, "for =1", "for= 1", "for=\"\u{1}\"", "fòr=1",
        ])
    func refuses(line: String) {
        #expect(ForwardedField([line]) == nil)
        #expect(ForwardedField(["for=192.0.2.1", line]) == nil)
    }

    @Test("is limited in size")
    func limit() {
        #expect(ForwardedField([String(repeating: "for=192.0.2.1,", count: 700)]) == nil)
    }

    @Test(
        "addresses may have ports",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:4711", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:80", "2001:db8::1"), ("192.0.2.1:", nil),
            ("192.0.2.1:x", nil),
            ("192.0.2.1:123456", nil), ("[192.0.2.1]", nil), ("[::1", nil), ("[::1]x", nil), ("::1]:80", nil),
            ("", nil),
            ("unknown", nil), ("host:80", nil),
        ] as [(String, String?)])
    func addresses(text: String, address: String?) {
        #expect(ForwardedField.address(Array(text.utf8))?.description == address)
    }
}
