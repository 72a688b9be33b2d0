/// Why something a client sent could not be read.
///
/// `detail` is a sentence the client may see: it says what is wrong and what would be right. It never repeats bytes that
/// the client sent and never carries a secret.
struct ParseError: Error, Equatable, Sendable {
    /// What could not be read; the raw value is the stable, machine-readable name of the problem.
    enum Code: String, Sendable, CaseIterable {
        /// The request target or a percent escape in its path.
        case invalidTarget = "invalid_target"
        /// The query, or one of its parameters.
        case invalidQuery = "invalid_query"
        /// An `application/x-www-form-urlencoded` body.
        case invalidForm = "invalid_form"
        /// A JSON body.
        case invalidJSON = "invalid_json"
        /// A `multipart/form-data` body or its boundary.
        case invalidMultipart = "invalid_multipart"
        /// `If-Match` or `If-None-Match`.
        case invalidPrecondition = "invalid_precondition"
        /// `Repr-Digest`, `Content-Digest` or `Content-MD5`.
        case invalidDigest = "invalid_digest"
        /// Two kinds of credentials at once, or a repeated header.
        case ambiguousCredentials = "ambiguous_credentials"
        /// Credentials that cannot be anybody's.
        case invalidCredentials = "invalid_credentials"
        /// A body or a field of it that is over its limit.
        case tooLarge = "too_large"
        /// A well-formed body whose member has a type that the route does not take.
        case invalidField = "invalid_field"
    }

    let code: Code
    let detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}
