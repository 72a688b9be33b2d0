/// An opaque token that stands for a sign-in: 256 random bits as 43 bytes of base64url.
///
/// It is a secret that only its holder keeps: the server stores its ``digest``, and it describes itself without its value.
public struct AccessToken: Sendable {
    private static let byteCount = 32
    private static let textCount = 43

    /// What the holder sends (RFC 6750 section 2.1); never to be logged or stored.
    public let text: String

    /// Draws a new token.
    public init() throws {
        text = Base64Text.encode(try SHA256.randomBytes(Self.byteCount), .url)
    }

    /// Reads what somebody presents; nil for everything that is not the text of a token.
    public init?(text: some Collection<UInt8>) {
        guard text.count == Self.textCount, Base64Text.decode(text, .url) != nil else { return nil }
        self.text = String(decoding: text, as: UTF8.self)
    }

    /// The SHA-256 of the text: all that is stored.
    public var digest: TokenDigest {
        get throws { TokenDigest(bytes: try SHA256.hash(Array(text.utf8))) }
    }
}

extension AccessToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Not the token.
    public var description: String { "AccessToken(redacted)" }
    /// Not the token.
    public var debugDescription: String { description }
    /// Not the token.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ContainerToken {
    /// The SHA-256 of the sixteen bytes: all that is stored.
    public var digest: TokenDigest {
        get throws { TokenDigest(bytes: try SHA256.hash(uuid.bytes)) }
    }
}
