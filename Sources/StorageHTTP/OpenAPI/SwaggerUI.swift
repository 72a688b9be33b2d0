import HTTPTypes
import StorageCore

/// Swagger UI, as the page `/docs` shows the API where a server has it.
///
/// Its files come from a release of Swagger UI 5 (the package `swagger-ui-dist`) and are served as they are. With the page they are all
/// that a browser loads, and they load nothing but the OpenAPI document. A server that has none shows a plainer page.
public struct SwaggerUI: Sendable {
    /// What `/docs` is.
    let page: StaticDocument
    /// What lies below `/docs/`, by its name.
    let files: [String: StaticDocument]

    /// Takes over the files.
    ///
    /// - Parameters:
    ///   - script: `swagger-ui-bundle.js`, as one gzip stream (RFC 1952), at most 16 MiB when it is unpacked.
    ///   - style: `swagger-ui.css` likewise.
    /// - Throws: `StorageError` with the code `internal` for what is no such stream.
    public init(script: [UInt8], style: [UInt8]) throws {
        let scriptType = "text/javascript; charset=utf-8"
        page = try StaticDocument(
            PackageResources.swagger_html, type: "text/html; charset=utf-8",
            headers: [.contentSecurityPolicy: Self.policy])
        files = [
            "start.js": try StaticDocument(PackageResources.start_js, type: scriptType),
            "swagger-ui-bundle.js": try StaticDocument(gzipped: script, type: scriptType),
            "swagger-ui.css": try StaticDocument(gzipped: style, type: "text/css; charset=utf-8"),
        ]
    }

    /// Nothing but files of this server, and no script or style in the page itself (CSP level 3). `data:` are Swagger UI's own icons,
    /// `blob:` the images and sounds of answers.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: blob:; media-src blob:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """
}
