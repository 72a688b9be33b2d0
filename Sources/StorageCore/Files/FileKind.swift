/// The four sorts that listings can be narrowed to.
public enum FileKind: String, Hashable, Sendable, CaseIterable {
    /// Pictures.
    case image
    /// Sound and moving pictures.
    case media
    /// Text to read, source code included.
    case text
    /// Everything else.
    case other

    /// The sort of a file: by the extension of its name first, then by its media type.
    public init(name: some Collection<UInt8>, mediaType: MediaType?) {
        self.init(MediaType.byExtension(of: name) ?? mediaType ?? .octetStream)
    }

    /// The sort of a media type alone.
    public init(_ mediaType: MediaType) {
        let essence = mediaType.essence
        switch essence.split(separator: "/").first {
        case "image": self = .image
        case "audio", "video": self = .media
        case "text": self = .text
        default: self = Self.textual.contains(essence) ? .text : .other
        }
    }

    private static let textual: Set<String> = [
        "application/javascript", "application/json", "application/ld+json", "application/rtf", "application/sql",
        "application/toml", "application/x-httpd-php", "application/x-ndjson", "application/x-sh",
        "application/x-subrip", "application/x-tex", "application/x-yaml", "application/xhtml+xml", "application/xml",
        "application/yaml",
    ]
}
