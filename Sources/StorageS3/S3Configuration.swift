public import StorageCore

/// Where a bucket is, how one gets in, and what may be chosen of the store in it.
public struct S3Configuration: Sendable {
    /// Where the service answers: `https://host`, or `http://host:port` on a network that is trusted; nil for Amazon's own of the region.
    public var endpoint: String?
    /// The region that requests are signed for; services that have none take `us-east-1`.
    public var region: String
    /// The bucket, which must exist.
    public var bucket: String
    /// What stands before every key, so that a bucket can be shared: parts of letters, digits, `.`, `_` and `-` with a slash between them.
    public var prefix: String
    /// Whose requests they are.
    public var credentials: S3Credentials
    /// Whether the bucket is named in the path, as every service understands it; otherwise in the host's name.
    public var usesPathStyle = true

    /// How long a connection may take, and how long a request may wait for one.
    public var connectTimeout: Duration = .seconds(5)
    /// How long the service may be silent, or take no bytes, in the middle of a request.
    ///
    /// Much less than the deadline of the ``retryPolicy``: a request whose answer was lost must leave time to be made again.
    public var idleTimeout: Duration = .seconds(10)
    /// How many connections there are at most; requests beyond them wait.
    public var connections = 512

    /// Blobs above this many bytes are uploaded in parts.
    public var multipartThreshold: Int64 = 64 << 20
    /// The size of such a part; services take no less than 5 MiB. Grows for a blob that would have more than 10,000 parts.
    public var partSize: Int64 = 16 << 20
    /// How many parts of an upload are on their way at once.
    public var parallelParts = 4

    /// When a call is repeated, and when the service is left alone.
    public var retryPolicy = RetryPolicy()
    /// Whether a place without `store.id` becomes a store. Otherwise it is refused.
    ///
    public var createsStore = true
    /// Whether the object `store.probe` is written to learn if the service understands `If-None-Match: *`.
    ///
    /// Without that it is taken for one that does not, and an upload costs one request more; for who stores nothing.
    public var writesProbe = true

    /// Describes a bucket.
    ///
    /// - Parameters:
    ///   - endpoint: Where the service answers; nil for Amazon's own of the region.
    ///   - region: The region that requests are signed for.
    ///   - bucket: The name of the bucket.
    ///   - prefix: What stands before every key.
    ///   - credentials: Whose requests they are.
    public init(
        endpoint: String?, region: String = "us-east-1", bucket: String, prefix: String = "", credentials: S3Credentials
    ) {
        self.endpoint = endpoint
        self.region = region
        self.bucket = bucket
        self.prefix = prefix
        self.credentials = credentials
    }
}

extension S3Configuration {
    /// What cannot be used as it is.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The part of a configuration that it is about.
        public enum Field: String, Hashable, Sendable {
            /// ``S3Configuration/endpoint``.
            case endpoint
            /// ``S3Configuration/region``.
            case region
            /// ``S3Configuration/bucket``.
            case bucket
            /// ``S3Configuration/prefix``.
            case prefix
            /// The id of the key in ``S3Configuration/credentials``.
            case accessKey = "access-key"
            /// The secret in ``S3Configuration/credentials``.
            case secretKey = "secret-key"
            /// The session token in ``S3Configuration/credentials``.
            case sessionToken = "session-token"
            /// ``S3Configuration/usesPathStyle``.
            case pathStyle = "path-style"
        }

        /// The part that is meant.
        public let field: Field
        /// What is wrong with it and what would be right: the end of a sentence that begins with its name. Repeats no secret.
        public let complaint: String

        /// The whole sentence.
        public var description: String { "\(field.rawValue) \(complaint)" }
    }

    /// Everything that is wrong without asking the service; empty for a configuration that can be tried.
    public var problems: [Problem] {
        var problems: [Problem] = []
        func check(_ field: Problem.Field, _ complaint: String?) {
            if let complaint { problems.append(Problem(field: field, complaint: complaint)) }
        }
        func check(_ field: Problem.Field, text: String?) { check(field, text.flatMap { field.complaint(about: $0) }) }
        check(.endpoint, text: endpoint)
        check(.region, text: region)
        check(.bucket, Problem.Field.bucket.complaint(about: bucket) ?? complaintAboutHost)
        check(.prefix, text: prefix)
        check(.accessKey, text: credentials.accessKey)
        check(.secretKey, text: credentials.secretKey)
        check(.sessionToken, text: credentials.sessionToken)
        check(.pathStyle, complaintAboutPathStyle)
        return problems
    }

    /// The prefix with a slash behind it, or nothing.
    var normalizedPrefix: String {
        prefix.isEmpty || prefix.utf8.last == UInt8(ascii: "/") ? prefix : prefix + "/"
    }

    /// Where requests go.
    func resolvedEndpoint() throws -> S3Endpoint {
        if let problem = problems.first {
            throw StorageError(.wrongStore, "The S3 store's \(problem).", cause: problem)
        }
        guard let endpoint = address else {
            throw StorageError(.wrongStore, "The S3 store's endpoint is not a URL.")
        }
        return endpoint
    }

    private var address: S3Endpoint? { S3Endpoint(endpoint ?? "https://s3.\(region).amazonaws.com") }

    private var complaintAboutPathStyle: String? {
        guard !usesPathStyle, let address else { return nil }
        if address.isNumeric { return "must be true for an endpoint that is an IP address: no name fits before it" }
        guard address.isSecure, bucket.utf8.contains(UInt8(ascii: ".")) else { return nil }
        return "must be true for a bucket with a dot in its name over https: no certificate covers such a host"
    }

    private var complaintAboutHost: String? {
        guard !usesPathStyle, bucket.utf8.contains(where: { $0 == UInt8(ascii: "_") || $0.isUpperCase }) else {
            return nil
        }
        return "must have no capital letter and no underscore where it is a part of the host's name"
    }
}
