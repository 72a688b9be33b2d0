import StorageCore

/// Which files are worth compressing.
extension MediaType {
    /// True for types whose files are text or nearly so: they get much smaller by gzip.
    var isWorthGzip: Bool {
        let essence = essence
        return essence.hasPrefix("text/") || essence.hasSuffix("+json") || essence.hasSuffix("+xml")
            || Self.textual.contains(essence)
    }

    /// Whether files of this type are likely to become smaller: all but those whose format is compressed in itself.
    var isCompressible: Bool {
        if isWorthGzip { return true }
        let essence = essence
        if Self.plain.contains(essence) { return true }
        if Self.compressed.contains(essence) || essence.hasSuffix("+zip") || essence.hasSuffix("+gzip") { return false }
        return !Self.compressedPrefixes.contains { essence.hasPrefix($0) }
    }

    private static let textual: Set<String> = [
        "application/javascript", "application/json", "application/msword", "application/postscript", "application/rtf",
        "application/sql", "application/toml", "application/vnd.ms-excel", "application/vnd.ms-fontobject",
        "application/vnd.ms-powerpoint", "application/wasm", "application/x-javascript", "application/x-ndjson",
        "application/x-sh", "application/x-subrip", "application/x-tar", "application/x-tex", "application/x-yaml",
        "application/xml", "application/yaml", "font/otf", "font/ttf", "image/bmp", "image/vnd.microsoft.icon",
        "message/rfc822",
    ]

    private static let compressedPrefixes = [
        "audio/", "image/", "video/", "application/vnd.openxmlformats-officedocument.",
        "application/vnd.oasis.opendocument.",
    ]

    /// Exceptions from ``compressedPrefixes``: samples and pixels as they are.
    private static let plain: Set<String> = [
        "audio/aiff", "audio/basic", "audio/midi", "audio/wav", "audio/x-aiff", "audio/x-wav",
        "image/vnd.adobe.photoshop", "image/x-icon", "image/x-ms-bmp", "image/x-portable-bitmap",
        "image/x-portable-graymap", "image/x-portable-pixmap",
    ]

    private static let compressed: Set<String> = [
        "application/gzip", "application/java-archive", "application/ogg",
        "application/vnd.android.package-archive", "application/vnd.debian.binary-package", "application/vnd.rar",
        "application/x-7z-compressed", "application/x-bzip", "application/x-bzip2", "application/x-compress",
        "application/x-debian-package", "application/x-gzip", "application/x-lzip", "application/x-lzma",
        "application/x-rar-compressed", "application/x-rpm", "application/x-xz", "application/x-zip-compressed",
        "application/zip", "application/zstd", "font/woff", "font/woff2",
    ]
}
