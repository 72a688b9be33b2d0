import NIOSSL

/// A connection that came to nothing because of TLS.
struct S3Distrust: Error, Sendable, CustomStringConvertible {
    /// What no repetition makes good; nil for everything else that may happen.
    enum Reason: Sendable {
        /// No CA that is trusted has signed the certificate, or its time is over.
        case certificate
        /// It is the certificate of somebody else.
        case name
        /// What answers does not speak TLS.
        case plain
    }

    let reason: Reason?
    /// The host, and the port unless it is the scheme's own.
    private let authority: String
    private let isBucketsHost: Bool
    /// The short name of what happened.
    private let name: String

    /// Reads an error of NIOSSL; nil for any other.
    ///
    /// - Parameters:
    ///   - authority: Where the connection was to go.
    ///   - isBucketsHost: Whether the name of the host is one of the bucket's own.
    init?(_ error: any Error, authority: String, isBucketsHost: Bool) {
        self.authority = authority
        self.isBucketsHost = isBucketsHost
        switch error {
        case NIOSSLError.handshakeFailed(.sslError(let errors)):
            name = errors.first.map { Self.name(of: $0) } ?? "handshake failed"
            reason =
                switch name {
                case "CERTIFICATE_VERIFY_FAILED": .certificate
                case "WRONG_VERSION_NUMBER": .plain
                default: nil
                }
        case let error as NIOSSLExtraError
        where error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch:
            name = "certificate of another name"
            reason = .name
        default: return nil
        }
    }

    /// For operators who read it in a log.
    var description: String { "TLS with \(authority): \(name)" }

    /// What is wrong and what would be right, in sentences; nil where another attempt may help.
    var complaint: String? {
        switch reason {
        case .certificate:
            "The certificate of \(authority) is not trusted, or has expired; add its CA to the system's certificates"
                + " (update-ca-certificates), or renew it."
        case .name where isBucketsHost:
            "The certificate of \(authority) is for other names; where it has none for buckets, s3.path-style=true would"
                + " be right."
        case .name: "The certificate of \(authority) is for other names; give the endpoint by one of them."
        case .plain:
            "What answers at \(authority) does not speak TLS; give http:// in the place of https://, or another port."
        case nil: nil
        }
    }

    /// The name in `Error: <code> error:<hex>:SSL routines:OPENSSL_internal:<NAME> at <file>:<line>`: the file is none of the reader's.
    private static func name(of error: BoringSSLInternalError) -> String {
        let parts = error.description.utf8.split(separator: UInt8(ascii: ":"))
        guard parts.count > 5 else { return parts.last.map { String(Substring($0)) } ?? "" }
        return String(Substring(parts[5].prefix { $0 != UInt8(ascii: " ") }))
    }
}
