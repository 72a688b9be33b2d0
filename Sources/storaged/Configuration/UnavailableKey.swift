/// A setting that has its place in the design, but no code behind it in this build.
///
/// A part that somebody configured and that is not there must never be a silent default: on the command line and in the
/// YAML file such a key is an error. A variable may be somebody else's, so there it is one only where it asks for a
/// service or for protection; otherwise it has no effect and the start says so.
struct UnavailableKey: Sendable {
    /// The part that is missing.
    enum Part: Sendable {
        case s3, redis, other
    }

    let name: String
    let aliases: [String]
    let part: Part
    let isRefusedAsVariable: Bool

    var environmentName: String { name.environmentSpelling }
    var flag: String { name.flagSpelling }

    private static func refused(_ name: String, _ part: Part, _ aliases: String...) -> UnavailableKey {
        UnavailableKey(name: name, aliases: aliases, part: part, isRefusedAsVariable: true)
    }

    private static func noticed(_ name: String, _ part: Part, _ aliases: String...) -> UnavailableKey {
        UnavailableKey(name: name, aliases: aliases, part: part, isRefusedAsVariable: false)
    }

    static let all: [UnavailableKey] = [
        refused("s3.bucket", .s3, "BUCKET", "BUCKET_NAME"),
        refused("s3.endpoint", .s3, "ENDPOINT_URL", "AWS_ENDPOINT_URL"),
        noticed("s3.region", .s3, "AWS_REGION"),
        noticed("s3.prefix", .s3),
        noticed("s3.access-key", .s3, "AWS_ACCESS_KEY_ID", "ACCESS_KEY"),
        noticed("s3.secret-key", .s3, "AWS_SECRET_ACCESS_KEY", "SECRET_KEY"),
        noticed("s3.session-token", .s3, "AWS_SESSION_TOKEN"),
        noticed("s3.path-style", .s3),
        noticed("blobs.hot-cache", .s3),
        refused("blobs.fallback", .s3),

        refused("cache.url", .redis, "REDIS_URL"),

        refused("limits.rate.sign-in", .other), refused("limits.rate.register", .other),
        refused("limits.rate.requests", .other), refused("scrub.rate", .other), refused("scrub.period", .other),
        refused("admin.port", .other),
        noticed("log.file", .other), noticed("log.error-file", .other),
    ]
}

extension UnavailableKey.Part {
    /// What this build does not have, and what to do about it. Only a variable may stay where it is.
    func absence(ofVariable isVariable: Bool) -> String {
        switch self {
        case .s3: "this build does not have S3; remove it" + (isVariable ? ", or set blobs.store to disk" : "")
        case .redis: "this build does not have a Redis cache; remove it"
        case .other: "this build does not have this setting; remove it"
        }
    }

    /// The key that, given by hand, decides for something else than this part.
    var alternative: String? {
        switch self {
        case .s3: Keys.blobsStore.name
        case .redis, .other: nil
        }
    }
}
