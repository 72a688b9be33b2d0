/// The media type of a file, `type/subtype` with parameters (RFC 9110 section 8.3.1): printable ASCII, at most 127 bytes.
public struct MediaType: Hashable, Sendable, CustomStringConvertible {
    /// What is sent for a file of which nothing is known.
    public static let octetStream = MediaType(stored: "application/octet-stream")

    /// The text as it is sent in `Content-Type`.
    public let description: String

    /// Checks that the text is short, printable ASCII with a slash after at least one byte; nil otherwise.
    ///
    /// The grammar of parameters is the concern of the layer that read it from a message.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= 127, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }),
            let slash = bytes.firstIndex(of: UInt8(ascii: "/")), slash > bytes.startIndex
        else { return nil }
        description = text
    }

    /// Takes text that was checked when it was stored.
    package init(stored text: String) {
        description = text
    }
}
