import FoundationEssentials

/// The address of a PostgreSQL database as its own clients read it:
/// `postgres://[user[:password]@][host[:port],…][/database][?parameter=value&…]` (PostgreSQL manual, section 34.1.1.2).
///
/// Stricter than they are: what may mean two things, such as a password with an `@` that is not percent-encoded, is refused.
/// Describes itself without what is secret.
struct PostgresURL: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The whole address, with the scheme `postgresql`.
    let text: String
    /// The address with `***` in place of the password, and of every parameter that is not known to be harmless.
    let description: String
    /// Whether it holds something that nobody else may read.
    let hasSecret: Bool

    var customMirror: Mirror { Mirror(self, children: []) }

    /// nil for what is no such address.
    init?(_ text: String) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let scheme = String(text[..<colon]).asciiLowercased
        let rest = text.utf8[text.utf8.index(after: colon)...]
        guard scheme == "postgres" || scheme == "postgresql", rest.starts(with: "//".utf8) else { return nil }
        guard let parts = PostgresURLParts(Array(rest.dropFirst(2))) else { return nil }
        self.text = "postgresql:" + String(Substring(rest))
        description = "\(scheme)://\(parts.redacted)"
        hasSecret = parts.hasSecret
    }
}

/// What stands behind the two slashes of a ``PostgresURL``.
private struct PostgresURLParts {
    private var user: ArraySlice<UInt8>?
    private var password: ArraySlice<UInt8>?
    /// Names or addresses, each with a port if it has one, with commas between them.
    private let hosts: ArraySlice<UInt8>
    private let database: ArraySlice<UInt8>?
    private var parameters: [(name: String, value: String)] = []

    /// Parameters whose values everybody may see.
    private static let harmless: Set<String> = [
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "gssencmode", "host",
        "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts",
        "passfile", "port", "require_auth", "service", "sslcert", "sslcrl", "sslkey", "sslmode", "sslnegotiation",
        "sslrootcert", "target_session_attrs", "tcp_user_timeout", "user",
    ]

    init?(_ bytes: [UInt8]) {
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), Self.isEncodedRight(bytes) else { return nil }
        let authority = bytes.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        var rest = bytes[authority.endIndex...]

        if let at = authority.firstIndex(of: UInt8(ascii: "@")) {
            let info = authority[..<at].split(
                separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            (user, password) = (info.first, info.count > 1 ? info.last : nil)
            hosts = authority[(at + 1)...]
        } else {
            hosts = authority
        }
        guard Self.areHosts(hosts) else { return nil }

        if rest.first == UInt8(ascii: "/") {
            let path = rest.dropFirst().prefix { $0 != UInt8(ascii: "?") }
            guard !path.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "@") }) else { return nil }
            database = path
            rest = rest[path.endIndex...]
        } else {
            database = nil
        }
        guard rest.first == UInt8(ascii: "?") else { return }
        for part in rest.dropFirst().split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
            let pair = part.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].isEmpty, !part.contains(UInt8(ascii: "@")) else { return nil }
            parameters.append((String(decoding: pair[0], as: UTF8.self), String(decoding: pair[1], as: UTF8.self)))
        }
    }

    var hasSecret: Bool {
        password?.isEmpty == false || parameters.contains { !Self.harmless.contains($0.name) && !$0.value.isEmpty }
    }

    var redacted: String {
        var text = user.map { String(decoding: $0, as: UTF8.self) } ?? ""
        if password?.isEmpty == false { text += ":***" }
        if user != nil { text += "@" }
        text += String(decoding: hosts, as: UTF8.self)
        if let database { text += "/" + String(decoding: database, as: UTF8.self) }
        let shown = parameters.map { "\($0.name)=\(Self.harmless.contains($0.name) ? $0.value : "***")" }
        return shown.isEmpty ? text : text + "?" + shown.joined(separator: "&")
    }

    /// Whether every `%` begins an encoded byte, and none of them is zero.
    private static func isEncodedRight(_ bytes: [UInt8]) -> Bool {
        bytes.indices.allSatisfy { index in
            guard bytes[index] == UInt8(ascii: "%") else { return true }
            let digits = bytes[(index + 1)...].prefix(2)
            return digits.count == 2 && digits.allSatisfy(\.isHexadecimalDigit)
                && !digits.elementsEqual("00".utf8)
        }
    }

    /// Whether there are hosts between commas, each with a port or without one. One without a name is libpq's own default.
    private static func areHosts(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy { host in
            guard !host.contains(UInt8(ascii: "@")) else { return false }
            var rest = host
            if rest.first == UInt8(ascii: "[") {
                guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
                rest = rest[(end + 1)...]
                guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { return false }
            } else {
                rest = rest.drop { $0 != UInt8(ascii: ":") }
            }
            guard !rest.isEmpty else { return true }
            return UInt16(String(decoding: rest.dropFirst(), as: UTF8.self)).map { $0 > 0 } ?? false
        }
    }
}

extension UInt8 {
    fileprivate var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
