import Testing

@testable import StorageHTTP

@Suite("Addresses and networks")
struct IPAddressTests {
    private static func address(_ text: String) -> IPAddress? { IPAddress(Array(text.utf8)) }

    @Test(
        "are read in every spelling and written in one",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::A", "2001:db8::a"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
            ("fe80::1", "fe80::1"),
        ])
    func reads(text: String, canonical: String) throws {
        let address = try #require(Self.address(text))
        #expect(address.description == canonical)
        #expect(Self.address(canonical) == address)
    }

    @Test(
        "that are none are refused",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.04", "1..2.3", "1.2.3.", "1.2.3.4 ",
            " 1.2.3.4",
            "+1.2.3.4", "0x1.2.3.4", "1.2.3.4/8", "1.2.3.4:80", ":", ":::", "1::2::3", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7::8:9", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:",
            ":1:2:3:4:5:6:7",
            "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "::ffff:1.2.3.256", "localhost", "１.2.3.4",
        ])
    func refuses(text: String) {
        #expect(Self.address(text) == nil)
    }

    @Test(
        "name the machine itself where they are loopback ones",
        arguments: [
            ("127.0.0.1", true), ("127.255.255.255", true), ("::1", true), ("::ffff:127.0.0.1", true),
            ("128.0.0.1", false),
            ("126.255.255.255", false), ("::2", false), ("::", false), ("0.0.0.0", false), ("::127.0.0.1", false),
            ("1::1", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(Self.address(text)).isLoopback == isLoopback)
    }

    @Test(
        "are in a network that shares its prefix",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false), ("192.0.2.6/31", "192.0.2.7", true), ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false),
            ("fd00::/65", "fd00::7fff:0:0:1", true), ("fd00::/65", "fd00::8000:0:0:1", false),
            ("fd00::/64", "fd00::1", true),
            ("fd00::/64", "fd00:0:0:1::", false), ("::1", "::1", true), ("::1/128", "::2", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::ffff:10.0.0.0/104", "10.9.9.9", true),
            ("::ffff:10.0.0.0/104", "11.0.0.1", false),
        ])
    func contains(network: String, address: String, isInside: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect(network.contains(try #require(Self.address(address))) == isInside)
    }

    @Test(
        "a network that cannot be meant is refused",
        arguments: [
            "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "::/129", "::1/64", "2001:db8::1/32", "10.0.0.0/255.0.0.0", "10/8", "all", "*", "10.0.0.0 /8", "::/1000",
            "10.0.0.0/99999999999999999999",
        ])
    func noNetwork(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
