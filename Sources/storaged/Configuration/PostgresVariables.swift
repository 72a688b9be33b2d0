/// The variables that name a PostgreSQL database part by part, as its container image and the programs beside it do.
///
/// Together they stand for `database.url` where no source gives that; of a part that several sources give, the strongest counts.
/// What is left out is what the image takes: host `localhost`, port 5432, user `postgres`, a database of the user's name, and no
/// password.
struct PostgresVariables: Sendable {
    /// A part of the address, by the variable's name.
    enum Part: String, Sendable, CaseIterable {
        case host = "POSTGRES_HOST"
        case port = "POSTGRES_PORT"
        case user = "POSTGRES_USER"
        case password = "POSTGRES_PASSWORD"
        case database = "POSTGRES_DB"

        /// The name, and further ones that are weaker.
        var variables: [String] { self == .database ? [rawValue, "POSTGRES_db"] : [rawValue] }
    }

    private let entries: [Part: ConfigurationLayer.Entry]

    /// Takes the variables out of all sources, strongest first; nil where none is given.
    init?(in layers: [ConfigurationLayer]) {
        var entries: [Part: ConfigurationLayer.Entry] = [:]
        for part in Part.allCases {
            entries[part] = layers.lazy.compactMap { $0.entries[part.rawValue] }.first
        }
        guard !entries.isEmpty else { return nil }
        self.entries = entries
    }

    /// Where each variable that is given was read.
    var origins: [ConfigurationOrigin] { Part.allCases.compactMap { entries[$0]?.origin } }

    /// The address that they make, and where they were read together; nil while there are ``problems``.
    var address: (text: String, origin: ConfigurationOrigin)? {
        guard problems.isEmpty else { return nil }
        let user = text(.user) ?? "postgres"
        let password = text(.password).map { ":" + $0.percentEncoded } ?? ""
        let name = text(.host) ?? "localhost"
        let isIPv6 = name.utf8.contains(UInt8(ascii: ":"))
        let host = isIPv6 ? "[\(name)]" : name.percentEncoded
        let database = (text(.database) ?? user).percentEncoded
        let port = text(.port) ?? "5432"
        return ("postgres://\(user.percentEncoded)\(password)@\(host):\(port)/\(database)", .variables(origins))
    }

    /// Everything that is wrong with the parts. Never shows the password.
    var problems: [ConfigurationProblem] {
        Part.allCases.compactMap { part in
            guard let entry = entries[part] else { return nil }
            do throws(ValueRefusal) {
                try part.check(entry.text)
                return nil
            } catch {
                let shown = (part == .password ? "***" : entry.text).quotedForDisplay
                return ConfigurationProblem("\(entry.origin): \(shown) is not acceptable; \(error.cure)")
            }
        }
    }

    private func text(_ part: Part) -> String? {
        guard let text = entries[part]?.text else { return nil }
        return part == .host ? (try? ValueFormat<String>.host.value(of: text)) ?? text : text
    }
}

extension PostgresVariables.Part {
    fileprivate func check(_ text: String) throws(ValueRefusal) {
        switch self {
        case .host where text.utf8.first == UInt8(ascii: "/"): _ = try ValueFormat<String>.path.value(of: text)
        case .host: _ = try ValueFormat<String>.host.value(of: text)
        case .port: _ = try ValueFormat<Int>.count(in: 1...65_535).value(of: text)
        case .user, .password, .database:
            if text.utf8.contains(0) { throw ValueRefusal(cure: "give a text without zero bytes") }
        }
    }
}

extension ConfigurationOrigin {
    /// Several variables that make one value.
    fileprivate static func variables(_ origins: [ConfigurationOrigin]) -> ConfigurationOrigin {
        let sources = Source.allCases.filter { source in origins.contains { $0.source == source } }
        let places = sources.map { $0 == .dotEnv ? ".env" : "the environment" }
        return ConfigurationOrigin(
            source: sources.first ?? .environment, description: "POSTGRES_* in " + places.joined(separator: " and "))
    }
}

extension String {
    /// The text with everything but letters, digits, `-`, `.`, `_` and `~` percent-encoded (RFC 3986, section 2.3).
    fileprivate var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = utf8.flatMap { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
