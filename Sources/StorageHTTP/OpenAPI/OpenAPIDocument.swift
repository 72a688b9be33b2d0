/// The document of the whole API (OpenAPI 3.1), as `/openapi.json` serves it.
///
/// Written by hand in `openapi.json` beside this file; a test keeps it equal to the table of routes.
public enum OpenAPIDocument {
    /// The text, in UTF-8.
    public static let bytes: [UInt8] = PackageResources.openapi_json
}
