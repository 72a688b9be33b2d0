import StorageCore

/// Media types in messages.
extension MediaType {
    /// Reads the value of a `Content-Type`; nil when it is malformed, has wildcards or is longer than `maximumBytes`.
    init?(parsing text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        var cursor = ByteCursor(Array(ASCII.trimmed(Array(text.utf8))))
        let type = ASCII.lowercased(cursor.take(while: Self.isName))
        guard type.isEmpty == false, cursor.consume(ASCII.slash) else { return nil }
        let subtype = ASCII.lowercased(cursor.take(while: Self.isName))
        guard subtype.isEmpty == false else { return nil }
        guard let list = HeaderParameters(&cursor, dialect: .standard) else { return nil }
        var whole = type + [ASCII.slash] + subtype
        for parameter in list.parameters {
            guard parameter.value.allSatisfy({ $0 >= ASCII.space && $0 < 0x7F }) else { return nil }
            whole += [ASCII.semicolon, ASCII.space] + parameter.name + [ASCII.equals] + Self.quoted(parameter.value)
        }
        guard whole.count <= Self.maximumBytes else { return nil }
        self.init(stored: String(decoding: whole, as: UTF8.self))
    }

    /// True for types that a browser may show in place: none of them can run script.
    var isInlineSafe: Bool {
        Self.inlineSafe.contains(essence)
    }

    private static let inlineSafe: Set<String> = [
        "application/json", "audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/opus",
        "audio/wav", "audio/webm", "audio/x-wav", "image/apng", "image/avif", "image/bmp", "image/gif", "image/heic",
        "image/heif", "image/jpeg", "image/jxl", "image/png", "image/tiff", "image/vnd.microsoft.icon", "image/webp",
        "text/csv", "text/markdown", "text/plain", "video/mp4", "video/mpeg", "video/ogg", "video/quicktime",
        "video/webm", "video/x-matroska",
    ]

    private static func isName(_ byte: UInt8) -> Bool {
        ASCII.isToken(byte) && byte != ASCII.asterisk
    }

    private static func quoted(_ value: [UInt8]) -> [UInt8] {
        if value.isEmpty == false, value.allSatisfy(ASCII.isToken) { return value }
        var quoted = [ASCII.quote]
        for byte in value {
            if byte == ASCII.quote || byte == ASCII.backslash { quoted.append(ASCII.backslash) }
            quoted.append(byte)
        }
        return quoted + [ASCII.quote]
    }
}
