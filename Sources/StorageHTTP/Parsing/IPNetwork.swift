/// A network of addresses, `192.0.2.0/24` or `2001:db8::/32` (RFC 4632 section 3.1, RFC 4291 section 2.3); an address alone is the
/// network of itself.
public struct IPNetwork: Hashable, Sendable {
    private let base: IPAddress
    /// Of 128, also where the network is one of IPv4.
    private let prefix: Int

    /// Reads an address with or without the length of a prefix; nil for everything else, bits behind the prefix included, because
    /// such a network is not the one that was meant.
    public init?(_ text: String) {
        let parts = Array(text.utf8).split(separator: ASCII.slash, omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = IPAddress(parts[0]) else { return nil }
        let isIPv4 = address.ipv4 != nil && !parts[0].contains(ASCII.colon)
        var length = isIPv4 ? 32 : 128
        if parts.count == 2 {
            let digits = parts[1]
            guard (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit),
                digits.count == 1 || digits.first != ASCII.zero
            else { return nil }
            let given = digits.reduce(0) { $0 &* 10 &+ Int($1 &- ASCII.zero) }
            guard given <= length else { return nil }
            length = given
        }
        prefix = isIPv4 ? length &+ 96 : length
        base = address
        guard Self.masked(address, prefix) == address else { return nil }
    }

    func contains(_ address: IPAddress) -> Bool {
        Self.masked(address, prefix) == base
    }

    private static func masked(_ address: IPAddress, _ prefix: Int) -> IPAddress {
        IPAddress(
            high: address.high & mask(min(prefix, 64)), low: address.low & mask(max(prefix &- 64, 0)))
    }

    /// The first `count` of 64 bits; the shift is one that gives 0 for all of them.
    private static func mask(_ count: Int) -> UInt64 { ~(UInt64.max >> UInt64(count)) }
}
