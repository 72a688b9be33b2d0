import StorageCore
import Testing

@testable import StorageHTTP

@Suite("Media type")
struct MediaTypeTests {
    @Test(
        "is kept in one form",
        arguments: [
            ("text/plain", "text/plain", "text/plain"), ("TEXT/Plain", "text/plain", "text/plain"),
            ("text/plain;charset=UTF-8", "text/plain", "text/plain; charset=UTF-8"),
            ("text/plain ; Charset=\"utf-8\"", "text/plain", "text/plain; charset=utf-8"),
            ("text/plain;", "text/plain", "text/plain"), (" image/svg+xml ", "image/svg+xml", "image/svg+xml"),
            ("a/b; c=\"d e\"", "a/b", "a/b; c=\"d e\""), ("a/b; c=\"d\\\"e\"", "a/b", "a/b; c=\"d\\\"e\""),
            ("a/b; c=\"\"", "a/b", "a/b; c=\"\""),
            ("application/vnd.ms-excel", "application/vnd.ms-excel", "application/vnd.ms-excel"),
            ("a/b;c=d;e=f", "a/b", "a/b; c=d; e=f"),
        ])
    func reads(text: String, essence: String, description: String) {
        let type = MediaType(parsing: text)
        #expect(type?.essence == essence)
        #expect(type?.description == description)
    }

    @Test(
        "that is malformed is none",
        arguments: [
            "", "/", "text", "text/", "/plain", "text//plain", "text/plain/x", "text /plain", "text/ plain",
            "text/plain x",
            "text/plain, text/html", "text/plain;x", "text/plain;=x", "text/plain;x=", "text/plain;x=y z",
            "text/plain;x=\"",
            "text/plain;x=\"a\"b", "text/plain\r\nX: y", "text/plain;x=\"\r\n\"", "text/plain\u{0}", "текст/plain",
            "text/plain;x=ф",
            "text/plain;x=\"ф\"", "*/*", "text/*", "text/plain;x=1;x=2", "text/plain;x=\"\\",
            "text/plain;x=\"\\\u{7}\"",
        ])
    func refuses(text: String) {
        #expect(MediaType(parsing: text) == nil)
    }

    @Test("may have 127 bytes, before and behind normalisation")
    func length() {
        #expect(MediaType(parsing: "text/" + String(repeating: "x", count: 122)) != nil)
        #expect(MediaType(parsing: "text/" + String(repeating: "x", count: 123)) == nil)
        #expect(MediaType(parsing: "text/" + String(repeating: "x", count: 118) + ";a=b") == nil)
        #expect(MediaType(parsing: String(repeating: "x", count: 1 << 20)) == nil)
    }

    @Test(
        "is guessed from the extension",
        arguments: [
            ("a.txt", "text/plain"), ("A.TXT", "text/plain"), ("dir/a.tar.gz", "application/gzip"), (".txt", nil),
            ("a", nil),
            ("a.", nil), ("a.unknown", nil), ("a.b/c", nil), ("dir/.txt", nil), ("a..png", "image/png"),
            ("ф.docx", officeDocument),
            ("a.txt/", nil), ("", nil), (".", nil), ("..", nil), ("..txt", "text/plain"), ("a.t\u{301}xt", nil),
            ("x.3gp", "video/3gpp"),
            ("a.thisextensionistoolong", nil), ("a.7z", "application/x-7z-compressed"),
        ] as [(String, String?)])
    func byExtension(name: String, essence: String?) {
        #expect(MediaType.byExtension(of: Array(name.utf8))?.essence == essence)
    }

    private static let officeDocument = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

    @Test("has a table of well-formed, lower-case rows")
    func table() throws {
        #expect(MediaType.byExtension.count >= 150)
        for (name, essence) in MediaType.byExtension {
            try #require(MediaType(parsing: essence)?.description == essence)
            try #require(MediaType.fileExtension(of: Array("a.\(name)".utf8)) == name)
        }
    }

    @Test(
        "may be shown in place only where it cannot run script",
        arguments: [
            ("image/png", true), ("IMAGE/PNG", true), ("text/plain; charset=utf-7", true), ("video/mp4", true),
            ("text/html", false),
            ("image/svg+xml", false), ("application/xhtml+xml", false), ("text/xml", false), ("application/xml", false),
            ("application/pdf", false), ("text/javascript", false), ("application/octet-stream", false),
            ("text/css", false),
            ("multipart/x-mixed-replace", false), ("application/x-shockwave-flash", false), ("text/vtt", false),
            ("message/rfc822", false),
        ])
    func inlineSafe(text: String, isSafe: Bool) {
        #expect(MediaType(parsing: text)?.isInlineSafe == isSafe)
    }

    @Test(
        "and extension give one of four kinds, the extension first",
        arguments: [
            ("a.png", nil, .image), ("a.mp3", nil, .media), ("a.mkv", nil, .media), ("a.txt", nil, .text),
            ("a.json", nil, .text),
            ("a.swift", nil, .text), ("a.yaml", nil, .text), ("a.pdf", nil, .other), ("a.docx", nil, .other),
            ("a.zip", nil, .other),
            ("a.png", "text/plain", .image), ("a", "image/png", .image), ("a", "audio/mpeg", .media),
            ("a", "video/mp4", .media),
            ("a", "text/html", .text), ("a", "application/json", .text), ("a", "application/zip", .other),
            ("a", nil, .other),
            ("a.unknown", "image/gif", .image), ("a.bin", "image/gif", .other), ("a.svg", nil, .image),
        ] as [(String, String?, FileKind)])
    func kinds(name: String, type: String?, kind: FileKind) {
        #expect(FileKind(name: name.utf8, mediaType: type.flatMap { MediaType(parsing: $0) }) == kind)
    }

    @Test("never traps, and what it accepts is its own normal form and safe in a header")
    func mutations() throws {
        var mutations = Mutations(
            seed: 11,
            corpus: [
                "text/plain; charset=utf-8", "a/b;c=\"d\\\"e\"", "multipart/form-data; boundary=\"x y\"", "image/png",
            ],
            words: ["/", ";", "=", "\"", "\\", " ", ";a=b", "*", ","])
        var accepted = 0
        for _ in 0..<Mutations.count {
            let text = mutations.nextText()
            _ = FileKind(name: text.utf8, mediaType: MediaType(parsing: text))
            guard let type = MediaType(parsing: text) else { continue }
            accepted += 1
            try #require(MediaType(parsing: type.description) == type)
            try #require(type.description.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
            try #require(type.description.utf8.count <= MediaType.maximumBytes)
        }
        #expect(accepted > Mutations.count / 10)
    }
}
