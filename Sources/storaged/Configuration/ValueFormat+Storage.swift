import Logging
import StorageCore
import StorageRedis

extension ValueFormat where Value == StoragedConfiguration.Database.Location {
    /// `sqlite:<path>`, `postgres://…` or `memory:`. An address that is none of these is shown without what follows its scheme: it
    /// may hold a password.
    static var databaseLocation: Self {
        Self(
            expectation: "sqlite:<path>, \(postgresForm) or memory:",
            parse: { text throws(ValueRefusal) in
                let (scheme, rest) = split(text)
                switch scheme {
                case "memory" where rest.isEmpty: return .memory
                case "sqlite" where rest.isEmpty || rest.hasPrefix("//") || rest == ":memory:":
                    throw ValueRefusal(
                        cure:
                            "give sqlite:<path>, such as sqlite:./data/storaged.sqlite or sqlite:/var/lib/storaged.sqlite"
                            + " (one slash), or memory:")
                case "sqlite": return rest.utf8.contains(0) ? nil : .sqlite(path: rest)
                case let scheme? where scheme.hasPrefix("postgres"):
                    guard let url = PostgresURL(text) else {
                        throw ValueRefusal(
                            cure:
                                "give \(postgresForm), with what else may separate its parts percent-encoded"
                                + " (%40 for @, %2F for /)")
                    }
                    return .postgres(url)
                default: return nil
                }
            },
            shown: { text in
                switch split(text).scheme {
                case "memory", "sqlite": text
                case let scheme?: PostgresURL(text)?.description ?? scheme + ":***"
                case nil: "***"
                }
            },
            holdsSecret: { PostgresURL($0)?.hasSecret ?? false })
    }

    private static var postgresForm: String { "postgres://user:password@host:port/database" }

    private static func split(_ text: String) -> (scheme: String?, rest: String) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (nil, text) }
        return (String(text[..<colon]).asciiLowercased, String(text[text.utf8.index(after: colon)...]))
    }
}

extension ValueFormat where Value == RateLimit? {
    /// `10/min`, or the word `none` for nil.
    static var rateOrNone: Self {
        Self(
            expectation:
                "a rate of 1 to 1000000 a second, minute, hour or day, such as 5/s, 10/min, 5/h or 100/d; or none"
        ) {
            text throws(ValueRefusal) in
            if text.asciiLowercased == "none" { return .some(nil) }
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let units: [String: Duration] = [
                "s": .seconds(1), "min": .seconds(60), "h": .seconds(3_600), "d": .seconds(86_400),
            ]
            guard parts.count == 2, let count = DecimalNumber.parse(parts[0]).flatMap({ Int(exactly: $0) }),
                let period = units[String(Substring(parts[1]))], let limit = RateLimit(count: count, per: period)
            else { return nil }
            return .some(limit)
        }
    }
}

extension ValueFormat where Value == RedisAddress? {
    /// `redis://…` or `unix:///…`, or nothing.
    static var optionalCacheAddress: Self {
        let form = "redis://:password@host:port/database or unix:///path/of/a/socket"
        return Self(
            expectation: "\(form), with what else may separate its parts percent-encoded (%40 for @, %3A for :)",
            parse: { text throws(ValueRefusal) in
                if text.isEmpty { return .some(nil) }
                guard !text.asciiLowercased.hasPrefix("rediss:") else {
                    throw ValueRefusal(
                        cure: "this build speaks to Redis without TLS; give \(form), on a network that is yours")
                }
                return RedisAddress(text).map { .some($0) }
            },
            shown: { text in text.isEmpty ? text : RedisAddress(text)?.description ?? "***" },
            holdsSecret: { RedisAddress($0)?.hasSecret ?? false })
    }
}

extension ValueFormat where Value == Logger.Level {
    static var logLevel: Self { choice }
}

extension ValueFormat where Value == Login? {
    /// What somebody signs in with; nil for the empty text.
    static var login: Self {
        Self(expectation: "1 to 255 bytes without a colon and without control characters, and not public") {
            text throws(ValueRefusal) in
            if text.isEmpty { return .some(nil) }
            guard let login = Login(presented: Array(text.utf8)), login != .public else { return nil }
            return .some(login)
        }
    }
}

extension ValueFormat where Value == SecretText? {
    /// Any text; nil for the empty one.
    static var secret: Self {
        Self(expectation: "a text") { text throws(ValueRefusal) in
            text.isEmpty ? .some(nil) : SecretText(bytes: Array(text.utf8))
        }
    }
}

/// A text that describes itself without its value.
struct SecretText: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    var description: String { "***" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
