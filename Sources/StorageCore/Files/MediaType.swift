/// The media type of a file (RFC 9110 section 8.3.1): `type/subtype` in lower case, with parameters; at most 127 bytes of
/// printable ASCII.
public struct MediaType: Hashable, Sendable, CustomStringConvertible {
    /// The longest media type, with its parameters, that is kept.
    public static let maximumBytes = 127
    /// What a file is when nothing says more.
    public static let octetStream = MediaType(stored: "application/octet-stream")

    /// The whole, as it is sent in `Content-Type`.
    public let description: String

    /// Takes a text that has the form of a media type; nil for any other.
    ///
    /// Only what would make it unsafe to store and send is checked here; the grammar is the concern of whoever parsed it.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= Self.maximumBytes, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }),
            let slash = bytes.firstIndex(of: UInt8(ascii: "/")), slash > bytes.startIndex
        else { return nil }
        description = text
    }

    /// Takes text that was checked when it was stored.
    package init(stored text: String) {
        description = text
    }

    /// `type/subtype` without parameters.
    public var essence: String {
        let bytes = description.utf8
        guard let end = bytes.firstIndex(of: UInt8(ascii: ";")) else { return description }
        return String(description[..<end])
    }

    /// The media type of a file with this name, where nobody says more.
    public static func ofName(_ name: some Collection<UInt8>) -> MediaType {
        byExtension(of: name) ?? octetStream
    }
}
