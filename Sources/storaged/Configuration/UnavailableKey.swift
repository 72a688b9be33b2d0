/// A setting that has its place in the design, but no code behind it in this build.
///
/// A part that somebody configured and that is not there must never be a silent default: on the command line and in the
/// YAML file such a key is an error. A variable may be somebody else's, so there it is one only where it asks for a
/// service or for protection; otherwise it has no effect and the start says so.
struct UnavailableKey: Sendable {
    /// The part that is missing.
    enum Part: Sendable {
        case redis, other
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
        refused("cache.url", .redis, "REDIS_URL"),

        refused("limits.rate.sign-in", .other), refused("limits.rate.register", .other),
        refused("limits.rate.requests", .other), refused("scrub.rate", .other), refused("scrub.period", .other),
        refused("admin.port", .other),
        noticed("log.file", .other), noticed("log.error-file", .other),
    ]
}

extension UnavailableKey.Part {
    /// What this build does not have, and what to do about it.
    var absence: String {
        switch self {
        case .redis: "this build does not have a Redis cache; remove it"
        case .other: "this build does not have this setting; remove it"
        }
    }
}
