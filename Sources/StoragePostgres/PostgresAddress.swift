import CLibpq
import StorageCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where a database is and how one gets in: a connection URL as libpq reads it (PostgreSQL documentation, 34.1.1.2).
struct PostgresAddress: Sendable, CustomStringConvertible, CustomReflectable {
    private let url: String
    /// Where one may connect, in order.
    let hosts: [Host]

    /// One of the hosts of a URL.
    struct Host: Sendable {
        /// The name and the port; nil for what the URL says, which is one place then.
        fileprivate let place: (name: String, port: String)?
    }

    /// Host, port and database, without user and password.
    let description: String

    /// Shows no more than the description, where a value of this type is printed.
    var customMirror: Mirror { Mirror(self, children: []) }

    /// What is in force where the URL says nothing else; names and values as libpq has them.
    private static let defaults = [
        ("keepalives_idle", "5"),
        // A peer that is gone is noticed after 10 s, not after the quarter of an hour that TCP would try.
        ("tcp_user_timeout", "10000"),
        // After a failover, the one that takes writes. Versions rest on it too: on a standby, snapshots do not name what is under way.
        ("target_session_attrs", "read-write"),
        ("fallback_application_name", "storaged"),
    ]

    /// - Throws: ``StorageError`` of code ``StorageError/Code/wrongStore`` for a text that is no such URL. What it says does not
    ///   repeat the URL, which may hold a password.
    init(url: String) throws {
        let schemes = ["postgres://", "postgresql://"]
        var message: UnsafeMutablePointer<CChar>?
        guard schemes.contains(where: url.hasPrefix), let parsed = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            throw StorageError(
                .wrongStore,
                "is no URL of a PostgreSQL database; expected postgres://user:password@host:port/database, "
                    + "with options of libpq behind a question mark.")
        }
        defer { PQconninfoFree(parsed) }
        var given: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        self.url = url
        let names = (given["host"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let ports = (given["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // Addresses beside names have an order of their own, which is left to libpq.
        if names.count > 1, given["hostaddr"] == nil, ports.count == 1 || ports.count == names.count {
            hosts = names.indices.map { Host(place: (names[$0], ports.count == 1 ? ports[0] : ports[$0])) }
        } else {
            hosts = [Host(place: nil)]
        }
        let host = given["host"] ?? given["hostaddr"] ?? "the local socket"
        description =
            "database \(given["dbname"] ?? given["user"] ?? "of the user") at \(host)"
            + (given["port"].map { ":\($0)" } ?? "")
    }

    /// Calls libpq with the two arrays that it wants; the URL overrides what stands before it.
    ///
    /// - Parameter host: Which of the hosts is meant.
    func withArrays<Value>(
        host: Host, _ body: ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?]) -> Value
    ) -> Value {
        let pairs =
            Self.defaults + [("dbname", url), ("client_encoding", "UTF8")]
            + (host.place.map { [("host", $0.name), ("port", $0.port)] } ?? [])
        let keywords = pairs.map { strdup($0.0) }
        let values = pairs.map { strdup($0.1) }
        defer { for text in keywords + values { free(text) } }
        return body(keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
    }
}
