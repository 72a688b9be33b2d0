import HTTPTypes
import NIOCore
import StorageCore

/// A document that is a part of the program: the same for everybody until the program is replaced.
struct StaticDocument: Sendable {
    private let bytes: ByteBuffer
    private let gzipped: ByteBuffer
    private let tag: EntityTag
    private let headers: HTTPFields

    /// Takes the content.
    init(_ content: [UInt8], type: String, headers: HTTPFields = [:]) throws {
        let bytes = ByteBuffer(bytes: content)
        let gzipped = try Deflater(level: 9, form: .gzip).compress(bytes, isLast: true)
        try self.init(bytes, gzipped: gzipped, digest: try SHA256.hash(content), type: type, headers: headers)
    }

    /// Takes content that was compressed beforehand, as one gzip stream.
    init(gzipped: [UInt8], type: String, headers: HTTPFields = [:]) throws {
        let compressed = ByteBuffer(bytes: gzipped)
        let bytes = try Inflater.content(of: compressed, limit: Self.mostBytes)
        try self.init(bytes, gzipped: compressed, digest: try SHA256.hash(gzipped), type: type, headers: headers)
    }

    /// What is a part of the program is not larger.
    private static let mostBytes = 16 << 20

    /// - Parameter digest: Of the content, in one form or the other: the entity tag.
    private init(
        _ bytes: ByteBuffer, gzipped: ByteBuffer, digest: [UInt8], type: String, headers: HTTPFields
    ) throws {
        self.bytes = bytes
        self.gzipped = gzipped
        tag = EntityTag(Hexadecimal.encode(digest.prefix(16)))
        // Caches ask again every time: the next program may have another one.
        self.headers = headers.merging([
            .contentType: type, .cacheControl: "public, no-cache", .crossOriginResourcePolicy: "same-origin",
            .vary: "Accept-Encoding",
        ])
    }

    /// The content, or 304 where the client has it already.
    func answer(to call: Call) -> Answer {
        var headers = headers
        // What the client would get, and what else it may have and use.
        let tags = call.welcomesGzip ? [tag.gzipped, tag] : [tag]
        headers[.eTag] = tags[0].text
        if let condition = try? EntityTagCondition.parse(call.headers[values: .ifNoneMatch]),
            let known = tags.first(where: condition.isMatchedWeakly)
        {
            headers[.eTag] = known.text
            headers[.contentType] = nil
            return Answer(.notModified, headers: headers)
        }
        guard call.welcomesGzip else { return Answer(.ok, headers: headers, content: .bytes(bytes)) }
        headers[.contentEncoding] = "gzip"
        return Answer(.ok, headers: headers, content: .bytes(gzipped))
    }
}

extension StaticDocument {
    /// The OpenAPI document.
    static let openAPI = Result { try StaticDocument(OpenAPIDocument.bytes, type: "application/json") }

    /// The page that shows the OpenAPI document.
    static let page = Result { try page(PackageResources.docs_html) }

    /// A page that may run the one script and use the one style sheet that it holds itself, and load nothing but documents of this
    /// server (CSP level 3, section 2.3.1).
    static func page(_ html: [UInt8]) throws -> StaticDocument {
        let script = try hash(of: html, between: "<script>", and: "</script>")
        let style = try hash(of: html, between: "<style>", and: "</style>")
        let policy = """
            default-src 'none'; script-src '\(script)'; style-src '\(style)'; connect-src 'self'; img-src data:; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        return try StaticDocument(html, type: "text/html; charset=utf-8", headers: [.contentSecurityPolicy: policy])
    }

    private static func hash(of html: [UInt8], between begin: String, and end: String) throws -> String {
        guard let first = html.firstRange(of: Array(begin.utf8)),
            let last = html[first.upperBound...].firstRange(of: Array(end.utf8))
        else { throw StorageError(.internal, "A page has no \(begin).") }
        return "sha256-\(Base64.encode(try SHA256.hash(Array(html[first.upperBound..<last.lowerBound]))))"
    }
}
