import NIOPosix

/// The name of the bucket's own host is not known to the resolver.
struct S3Unresolved: Error, Sendable, CustomStringConvertible {
    private let host: String
    private let cause: NIOConnectionError

    /// Reads an error of NIO; nil for any other.
    init?(_ error: any Error) {
        guard let error = error as? NIOConnectionError, error.dnsAError != nil || error.dnsAAAAError != nil,
            error.connectionErrors.isEmpty
        else { return nil }
        host = error.host
        cause = error
    }

    var description: String {
        "\(host) cannot be resolved; where there is no such name for each bucket, s3.path-style=true would be right;"
            + " \(cause)"
    }
}
