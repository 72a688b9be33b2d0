/// Which of the four kinds a file seems to be: by the extension of its name first, then by its media type.
enum FileKindGuess: String, Sendable, CaseIterable {
    case image
    case media
    case text
    case other

    init(name: some Collection<UInt8>, mediaType: MediaType?) {
        self.init(MediaType.byExtension(of: name) ?? mediaType ?? .octetStream)
    }

    /// The kind of a media type alone.
    init(_ mediaType: MediaType) {
        let type = mediaType.essence.utf8.prefix { $0 != ASCII.slash }
        if ASCII.equals(type, lowercase: "image") {
            self = .image
        } else if ASCII.equals(type, lowercase: "audio") || ASCII.equals(type, lowercase: "video") {
            self = .media
        } else if ASCII.equals(type, lowercase: "text") || Self.textual.contains(mediaType.essence) {
            self = .text
        } else {
            self = .other
        }
    }

    private static let textual: Set<String> = [
        "application/javascript", "application/json", "application/ld+json", "application/rtf", "application/sql",
        "application/toml", "application/x-httpd-php", "application/x-ndjson", "application/x-sh",
        "application/x-subrip", "application/x-tex", "application/x-yaml", "application/xhtml+xml", "application/xml",
        "application/yaml",
    ]
}
