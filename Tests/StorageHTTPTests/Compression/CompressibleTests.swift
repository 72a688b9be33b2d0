import StorageCore
import Testing

@testable import StorageHTTP

@Suite("What is worth compressing")
struct CompressibleTests {
    @Test(
        "is text, and whatever nobody knows better",
        arguments: [
            "text/plain", "text/html; charset=utf-8", "application/json", "application/octet-stream", "application/pdf",
            "application/vnd.api+json", "image/svg+xml", "image/bmp", "audio/wav", "audio/x-wav", "application/x-tar",
            "application/msword", "font/ttf", "image/vnd.microsoft.icon", "x/y",
        ])
    func compressible(type: String) throws {
        #expect(try #require(MediaType(type)).isCompressible)
    }

    @Test(
        "is not what is compressed in itself",
        arguments: [
            "image/png", "image/jpeg", "video/mp4", "audio/mpeg", "application/zip", "application/gzip",
            "application/x-7z-compressed", "application/epub+zip", "application/java-archive", "font/woff2",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.oasis.opendocument.text", "image/png; a=b",
        ])
    func incompressible(type: String) throws {
        #expect(!(try #require(MediaType(type)).isCompressible))
    }
}
