/// Where requests come from, as far as they are counted together: an address of IPv4, or a network of IPv6 that one subscriber has.
public struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    /// The text that tells it from others.
    public let description: String

    /// Takes the one text of an address or a network.
    public init(_ description: String) {
        self.description = description
    }
}
