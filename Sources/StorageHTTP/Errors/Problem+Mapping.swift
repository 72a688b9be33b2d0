import HTTPTypes
import StorageCore

/// The one place where a failure becomes a status.
extension Problem {
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as StorageError: self.init(error)
        case let error as ParseError: self.init(error)
        case let error as RequestBodyError: self.init(error)
        default: self.init(.internalServerError, "internal_error", Self.internalDetail)
        }
    }

    private init(_ error: StorageError) {
        let status = Self.statuses[error.code] ?? .internalServerError
        if status.code == 500, error.code != .corrupt {
            self.init(status, "internal_error", Self.internalDetail)
            return
        }
        self.init(status, error.code.name, error.message)
        if status == .unauthorized { headers = Self.challenges }
        // Who is well again sooner than it thought is not asked an hour later; a limit is known to last as long as it says.
        if status == .serviceUnavailable { headers[.retryAfter] = Self.seconds(error.retryAfter, atMost: 3_600) }
        if status == .tooManyRequests { headers[.retryAfter] = Self.seconds(error.retryAfter) }
    }

    /// A pause in whole seconds, rounded up: at least one.
    private static func seconds(_ duration: Duration?, atMost longest: Int64 = .max) -> String {
        let (seconds, fraction) = (duration ?? .zero).components
        let whole = min(max(0, seconds), longest - 1)
        return "\(whole == 0 || fraction > 0 ? whole + 1 : whole)"
    }

    private init(_ error: ParseError) {
        let status: HTTPResponse.Status =
            switch error.code {
            case .invalidCredentials: .unauthorized
            case .tooLarge: .contentTooLarge
            case .invalidField: .unprocessableContent
            case .invalidTarget, .invalidQuery, .invalidForm, .invalidJSON, .invalidMultipart, .invalidPrecondition,
                .invalidDigest, .ambiguousCredentials:
                .badRequest
            }
        self.init(status, error.code.rawValue, error.detail)
        if status == .unauthorized { headers = Self.challenges }
    }

    private init(_ error: RequestBodyError) {
        switch error {
        case .tooSlow: self.init(.requestTimeout, "body_too_slow", "The body arrived too slowly.")
        case .malformed: self.init(.badRequest, "malformed_body", "The framing of the body is broken.")
        case .endedEarly: self.init(.badRequest, "incomplete_body", "The body ended before it was complete.")
        case .concurrentReaders: self.init(.internalServerError, "internal_error", Self.internalDetail)
        }
    }

    /// Both ways to sign in that HTTP has a challenge for.
    static let challenges: HTTPFields = {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .wwwAuthenticate, value: "Basic realm=\"storaged\", charset=\"UTF-8\""))
        fields.append(HTTPField(name: .wwwAuthenticate, value: "Bearer realm=\"storaged\""))
        return fields
    }()

    private static let internalDetail = "The server failed to answer; the request id names the entry in its log."

    private static let statuses: [StorageError.Code: HTTPResponse.Status] = [
        .invalidPath: .badRequest,
        .pathConflict: .conflict,
        .unprocessable: .unprocessableContent,
        .notFound: .notFound,
        .exists: .conflict,
        .folderNotEmpty: .conflict,
        .preconditionFailed: .preconditionFailed,
        .unauthenticated: .unauthorized,
        .tooManyRequests: .tooManyRequests,
        .forbidden: .forbidden,
        .loginTaken: .conflict,
        .tooLarge: .contentTooLarge,
        .insufficientStorage: .insufficientStorage,
        .quotaExceeded: .insufficientStorage,
        .unavailable: .serviceUnavailable,
        .outcomeUnknown: .serviceUnavailable,
        .corrupt: .internalServerError,
    ]
}

extension HTTPResponse.Status {
    /// 507 (RFC 4918 section 11.5).
    static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}

extension HTTPField.Name {
    static let xRequestID = makeStatic("X-Request-ID")
    static let xAuthToken = makeStatic("X-Auth-Token")
    static let traceparent = makeStatic("traceparent")
    static let tracestate = makeStatic("tracestate")
    static let secFetchSite = makeStatic("Sec-Fetch-Site")
    static let secFetchMode = makeStatic("Sec-Fetch-Mode")
    static let reprDigest = makeStatic("Repr-Digest")
    static let contentDigest = makeStatic("Content-Digest")
    static let contentMD5 = makeStatic("Content-MD5")
    static let wantReprDigest = makeStatic("Want-Repr-Digest")
    static let link = makeStatic("Link")
    static let crossOriginResourcePolicy = makeStatic("Cross-Origin-Resource-Policy")

    // The names are tokens, so the other name is never used.
    private static func makeStatic(_ name: String) -> HTTPField.Name {
        HTTPField.Name(name) ?? .trailer
    }
}

/// Runs a body whose refusals name a field by another name than the client sent it under.
func renaming<Success>(
    _ field: String, to name: String, _ body: () async throws -> Success
) async throws -> Success {
    do {
        return try await body()
    } catch let error as StorageError where error.message.utf8.starts(with: "\(field):".utf8) {
        throw StorageError(error.code, name + error.message.dropFirst(field.count))
    }
}
