import AsyncHTTPClient
import NIOCore
import StorageCore

/// An answer that is an error: status, and code and message of its body where there is one.
struct S3Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked, for operators.
    let operation: String
    let status: Int
    /// The code of the body, such as `SlowDown`; nil where it had none.
    let code: String?
    let message: String?
    /// Where the bucket is, where the request was made for another region.
    let region: String?
    /// What the service's own log has it under.
    let requestID: String?

    /// The words of the service are for operators: of one line, and short.
    init(
        operation: String, status: Int, code: String?, message: String?, region: String? = nil, requestID: String?
    ) {
        self.operation = operation
        self.status = status
        self.code = code?.presentable(upTo: 64)
        self.message = message?.presentable(upTo: 512)
        self.region = region?.presentable(upTo: 64)
        self.requestID = requestID?.presentable(upTo: 128)
    }

    var description: String {
        let named = code.map { " \($0)" } ?? ""
        let said = message.map { ": \($0)" } ?? ""
        let request = requestID.map { " (request \($0))" } ?? ""
        let place = region.map { ", the bucket is in \($0)" } ?? ""
        return "\(operation): S3 \(status)\(named)\(said)\(place)\(request)"
    }
}

extension S3Failure {
    /// What follows from a failure.
    enum Kind: Hashable, Sendable {
        /// The service has too much to do, or broke off: the same request may succeed.
        case passing
        /// The two clocks are too far apart.
        case skewed
        /// The credentials are not good, or not for this.
        case denied
        /// There is no such bucket.
        case noBucket
        /// It is to be asked elsewhere: another region or endpoint.
        case elsewhere
        /// There is no room.
        case full
        /// The service does not know how.
        case unsupported
        case other
    }

    /// Decided by the code where there is one, else by the status.
    var kind: Kind {
        switch code {
        case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted",
            "ConditionalRequestConflict", "TooManyRequests", "Throttling", "ThrottlingException", "503 SlowDown":
            return .passing
        // What was sent did not arrive as it was sent.
        case "XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody":
            return .passing
        case "RequestTimeTooSkewed": return .skewed
        // Amazon answers those of a token with status 400, and refuses single objects of many behind status 200.
        case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
            "TokenRefreshRequired":
            return .denied
        case "NoSuchBucket": return .noBucket
        case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "Redirect",
            "IllegalLocationConstraintException":
            return .elsewhere
        case "QuotaExceeded", "StorageQuotaExceeded", "InsufficientCapacity", "InsufficientStorage": return .full
        case "NotImplemented": return .unsupported
        default: break
        }
        switch status {
        case 408, 429, 500, 502, 503, 504: return .passing
        case 301, 302, 303, 307, 308: return .elsewhere
        case 401, 403: return .denied
        case 405, 501: return .unsupported
        case 507: return .full
        default: return .other
        }
    }

    /// Whether it is the token of temporary credentials that is not good.
    var isAboutToken: Bool {
        switch code {
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired": true
        default: false
        }
    }

    /// The same failure in terms of the domain, for a store that is in use.
    func storageError(retryAfter: Duration? = nil) -> StorageError {
        switch kind {
        case .passing:
            StorageError(
                .unavailable, "The file store has too much to do at the moment.", isTransient: true,
                retryAfter: retryAfter,
                cause: self)
        case .skewed:
            StorageError(
                .unavailable, "The file store refuses requests: its clock and the server's disagree.", cause: self)
        case .denied:
            StorageError(.unavailable, "The file store refuses the server's requests.", cause: self)
        case .noBucket, .elsewhere:
            StorageError(.unavailable, "The file store is not where the server looks for it.", cause: self)
        case .full: StorageError(.insufficientStorage, "The store has no room for it.", cause: self)
        case .unsupported, .other: StorageError(.internal, "The file store could not do it.", cause: self)
        }
    }
}

/// All connections to the service are in use, and none became free in time.
struct S3Crowd: LocalShortage, CustomStringConvertible {
    var description: String { "all connections to the S3 service are in use" }
}

/// Something that an honest service does not do, or that came of a broken way to it.
struct S3Nonsense: Error, CustomStringConvertible {
    let description: String
}

extension S3Failure {
    /// The failure of an answer that cannot be believed: repeated, because it may have been the way.
    static func unbelievable(_ what: String) -> StorageError {
        StorageError(
            .unavailable, "The file store gave an answer that makes no sense.", isTransient: true,
            cause: S3Nonsense(description: what))
    }

    /// What a request failed with before its answer was whole.
    ///
    /// Errors of ours, such as those of the spool, and cancellations pass through.
    static func transport(_ error: any Error) -> any Error {
        if error is StorageError || error is CancellationError { return error }
        if let error = error as? HTTPClientError {
            if error == .cancelled { return CancellationError() }
            if error == .alreadyShutdown {
                return StorageError(.unavailable, "The server is shutting down.", isTransient: true, cause: error)
            }
            if error == .getConnectionFromPoolTimeout {
                return StorageError(
                    .unavailable, "The server has too much to do at the moment.", isTransient: true, cause: S3Crowd())
            }
        }
        return StorageError(
            .unavailable, "The file store cannot be reached at the moment.", isTransient: true, cause: error)
    }
}
