import Logging
import StorageCore
import Testing

@testable import storaged

@Suite("Values of settings")
struct ValueFormatTests {
    static let day: Int64 = 86_400_000

    @Test(
        "a duration reads as written",
        arguments: [
            ("0", 0), ("30", 30_000), ("500ms", 500), ("30s", 30_000), ("5min", 300_000), ("24h", day),
            ("30d", 30 * day),
            ("007s", 7_000), ("1ms", 1),
        ] as [(String, Int64)])
    func duration(text: String, milliseconds: Int64) throws {
        let format = ValueFormat<Duration>.duration(in: .zero...(.seconds(3_650 * 86_400)))
        #expect(try format.value(of: text) == .milliseconds(milliseconds))
    }

    @Test(
        "what is no duration is refused with an example",
        arguments: [
            "", " ", "s", "-1", "+1", "1.5h", "5m", "30 s", " 30", "30s ", "1h30min", "1_000", "٣٠", "30S",
            "99999999999999d",
            "9223372036854775807", "9223372036854775808", "4000d", "0x10", "1e3",
        ])
    func noDuration(text: String) {
        let format = ValueFormat<Duration>.duration(in: .zero...(.seconds(3_650 * 86_400)))
        #expect {
            try format.value(of: text)
        } throws: { error in
            (error as? ValueRefusal)?.cure.contains("5min") == true
        }
    }

    @Test("a duration outside of its bounds is refused, and the bounds are named")
    func durationBounds() {
        let format = ValueFormat<Duration>.duration(in: .milliseconds(100)...(.seconds(86_400)))
        for text in ["0", "99ms", "86401", "2d"] {
            #expect {
                try format.value(of: text)
            } throws: { error in
                (error as? ValueRefusal)?.cure.contains("from 100ms to 1d") == true
            }
        }
        #expect(throws: Never.self) { try format.value(of: "100ms") }
        #expect(throws: Never.self) { try format.value(of: "1d") }
    }

    @Test(
        "a size reads as written",
        arguments: [
            ("0", 0), ("1048576", 1_048_576), ("1B", 1), ("64KiB", 65_536), ("64MiB", 67_108_864),
            ("1GiB", 1_073_741_824),
            ("5TiB", 5_497_558_138_880), ("20MB", 20_000_000), ("1kB", 1_000), ("1KB", 1_000), ("2GB", 2_000_000_000),
            ("3TB", 3_000_000_000_000),
        ] as [(String, Int64)])
    func size(text: String, bytes: Int64) throws {
        #expect(try ValueFormat<Int64>.size(in: 0...(1 << 62)).value(of: text) == bytes)
    }

    @Test(
        "what is no size is refused with an example",
        arguments: [
            "", "-1", "+1", "1.5MB", "5T", "64K", "64kib", "10 MB", "1,000", "8388608TiB", "9223372036854775808",
            "9223372036854775807", "MB", "0x400", "unlimited",
        ])
    func noSize(text: String) {
        #expect {
            try ValueFormat<Int64>.size(in: 0...(1 << 62)).value(of: text)
        } throws: { error in
            (error as? ValueRefusal)?.cure.contains("64KiB") == true
        }
    }

    @Test(
        "a boolean reads in every common spelling", arguments: ["true", "True", "TRUE", "1", "yes", "Yes", "on", "ON"])
    func isTrue(text: String) throws {
        #expect(try ValueFormat<Bool>.boolean.value(of: text))
    }

    @Test("a negative boolean reads in every common spelling", arguments: ["false", "False", "0", "no", "NO", "off"])
    func isFalse(text: String) throws {
        #expect(try ValueFormat<Bool>.boolean.value(of: text) == false)
    }

    @Test("what is no boolean is refused", arguments: ["", "2", "y", "truee", " true", "nil"])
    func noBoolean(text: String) {
        #expect(throws: ValueRefusal.self) { try ValueFormat<Bool>.boolean.value(of: text) }
    }

    @Test("a port is a number from 0 to 65535", arguments: [("0", 0), ("1", 1), ("8080", 8080), ("65535", 65535)])
    func port(text: String, port: Int) throws {
        #expect(try ValueFormat<Int>.port.value(of: text) == port)
    }

    @Test(
        "what is no port is refused",
        arguments: ["", "-1", "65536", "80a", "8080/tcp", "http", "99999999999999999999", "80s"])
    func noPort(text: String) {
        #expect(throws: ValueRefusal(cure: "give a port from 0 to 65535")) { try ValueFormat<Int>.port.value(of: text) }
    }

    @Test(
        "a host is a name or an address",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("localhost", "localhost"), ("::1", "::1"),
            ("[::1]", "::1"),
            ("fe80::1%eth0", "fe80::1%eth0"), ("files.example.org", "files.example.org"),
        ])
    func host(text: String, host: String) throws {
        #expect(try ValueFormat<String>.host.value(of: text) == host)
    }

    @Test(
        "what is no host is refused",
        arguments: [
            "", "[]", "http://localhost", "localhost:8080", "a b", "файлы", "a/b", "a\r\nb",
            String(repeating: "a", count: 254),
        ])
    func noHost(text: String) {
        #expect(throws: ValueRefusal.self) { try ValueFormat<String>.host.value(of: text) }
    }

    @Test(
        "a public URL loses the slash at its end, and may be left out",
        arguments: [
            ("", nil), ("https://files.example.org", "https://files.example.org"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://a.example/files//", "https://a.example/files"),
        ] as [(String, String?)])
    func publicURL(text: String, url: String?) throws {
        #expect(try ValueFormat<String?>.publicURL.value(of: text) == url)
    }

    @Test(
        "what is no public URL is refused",
        arguments: [
            "files.example.org", "https://", "https:///a", "HTTPS://a", "ftp://a", "https://a b", "https://a/?q",
            "https://a/#f",
            "https://user@a", "https://a:x", "https://a\r\nx: y", "https://a/<b>", "https://é.example", "https://*",
            "*",
        ])
    func noPublicURL(text: String) {
        #expect(throws: ValueRefusal.self) { try ValueFormat<String?>.publicURL.value(of: text) }
    }

    @Test("networks stand between commas, with or without blanks, or there are none")
    func networks() throws {
        #expect(try Keys.httpTrustedProxies.format.value(of: "").isEmpty)
        #expect(try Keys.httpTrustedProxies.format.value(of: "127.0.0.1").count == 1)
        #expect(try Keys.httpTrustedProxies.format.value(of: "127.0.0.1,::1 , fd00::/8").count == 3)
        for text in [",", "127.0.0.1,", "127.0.0.1 ::1", "127.0.0.1;::1", "localhost", "0.0.0.0/33", "*"] {
            #expect(throws: ValueRefusal.self) { try Keys.httpTrustedProxies.format.value(of: text) }
        }
    }

    @Test("what nginx knows the files by is a path of plain segments between slashes, or nothing")
    func uriPrefix() throws {
        #expect(try Keys.httpAccelRedirect.format.value(of: "") == nil)
        for text in ["/_blobs/", "/a/b-c/0/"] {
            #expect(try Keys.httpAccelRedirect.format.value(of: text) == text)
        }
        for text in ["/", "//", "_blobs/", "/_blobs", "/../", "/a//b/", "/a b/", "/a%2F/", "/a?b/", "/é/", "/a\r\nb/"] {
            #expect(throws: ValueRefusal.self) { try Keys.httpAccelRedirect.format.value(of: text) }
        }
    }

    @Test("the login and password of a URL are in nothing that is shown")
    func userInfo() {
        for text in [
            "https://user:hunter2@host", "https://user:hun/ter2@host/x", "https://a.example, https://u:hunter2,h2@b",
            "user:hunter2@host", "https//user:hunter2@host",
        ] {
            for key: any ConfigurationKeyDescription in [
                Keys.httpPublicURL, Keys.httpCORSOrigins, Keys.httpTrustedProxies,
            ] {
                let shown = key.shown(text)
                #expect(!shown.contains("hun") && !shown.contains("h2"), "\(shown)")
                #expect(shown.contains("***@"))
            }
        }
        #expect(Keys.httpPublicURL.shown("https://files.example.org/a") == "https://files.example.org/a")
    }

    @Test("the word that is shown for nothing may be given as well, in any case")
    func nothing() throws {
        for key in Keys.all {
            guard case .nothing(let word) = key.fallback else { continue }
            #expect(key.normalized(word) == "" && key.normalized(word.uppercased()) == "")
            #expect(key.shown("") == word)
            let given = try StoragedConfiguration(settings: [key.name: word])
            #expect(given.provenance.value(named: key.name)?.text == "")
        }
    }

    @Test("what is left out is shown as what it means")
    func absent() {
        #expect(Keys.httpPublicURL.shown("") == "from the request")
        #expect(Keys.httpTLSKey.shown("") == "none")
        #expect(Keys.httpTLSKey.shown("a.pem") == "a.pem")
    }

    @Test("a word of an enumeration counts in any case")
    func choice() throws {
        #expect(try Keys.authRegistration.format.value(of: "Admin") == .admin)
        #expect(try Keys.logLevel.format.value(of: "WARNING") == .warning)
        #expect(throws: ValueRefusal(cure: "give one of open, admin, off")) {
            try Keys.authRegistration.format.value(of: "nobody")
        }
    }

    @Test("a database is named by its scheme")
    func database() throws {
        let format = Keys.databaseURL.format
        #expect(try format.value(of: "sqlite:/var/lib/a b.sqlite") == .sqlite(path: "/var/lib/a b.sqlite"))
        #expect(try format.value(of: "SQLite:files.db") == .sqlite(path: "files.db"))
        #expect(try format.value(of: "memory:") == .memory)
        let url = try #require(PostgresURL("postgres://u:p@h/d"))
        #expect(try format.value(of: "postgres://u:p@h/d") == .postgres(url))
        for text in [
            "", "sqlite:", "sqlite::memory:", "sqlite:///a", "memory:x", "mysql://h/d", "files.db", "postgres:",
            "postgres://u:p@ss@h", "PostgreSQL+asyncpg://h/d",
        ] {
            #expect(throws: ValueRefusal.self) { try format.value(of: text) }
        }
    }

    @Test(
        "never is 0 or -1 where there is an age",
        arguments: [("0", nil), ("-1", nil), ("300", .seconds(300)), ("5min", .seconds(300))] as [(String, Duration?)])
    func never(text: String, duration: Duration?) throws {
        #expect(try Keys.databasePoolRecycle.format.value(of: text) == duration)
        #expect(throws: ValueRefusal.self) { try Keys.databasePoolRecycle.format.value(of: "-2") }
    }
}
