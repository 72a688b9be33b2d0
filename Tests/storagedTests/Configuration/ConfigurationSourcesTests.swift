import Logging
import StorageCore
import StorageHTTP
import Testing

@testable import storaged

@Suite("Sources of the configuration")
struct ConfigurationSourcesTests {
    private static let sources: [ConfigurationOrigin.Source] = [.commandLine, .environment, .dotEnv, .yaml]

    /// Every combination of the four sources, as bits.
    @Test("the strongest source that gives a value wins, and is named", arguments: 0..<16)
    func precedence(combination: Int) throws {
        let fixture = try ConfigurationFixture()
        let given = Self.sources.enumerated().filter { combination & 1 << $0.offset != 0 }
        for (index, source) in given {
            let port = 9000 + index
            switch source {
            case .commandLine: fixture.arguments = ["--http-port", "\(port)"]
            case .environment: fixture.environment["HTTP_PORT"] = "\(port)"
            case .dotEnv: try fixture.write("HTTP_PORT = \(port)\n", to: ".env")
            case .yaml:
                try fixture.write("http:\n  port: \(port)\n", to: "config.yaml")
                fixture.environment["CONFIG_PATH"] = "config.yaml"
            case .builtIn: break
            }
        }
        let configuration = try fixture.load()
        let strongest = given.first
        #expect(configuration.http.port == strongest.map { 9000 + $0.offset } ?? 8080)
        #expect(configuration.provenance.value(named: "http.port")?.origin.source == strongest?.element ?? .builtIn)
    }

    @Test("each value comes from its own source, and the print says which")
    func provenance() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["serve", "--http-port=9000", "--config", "c.yaml"]
        fixture.environment = ["LOG_LEVEL": " debug ", "BLOBS_VERIFY_READS": "always", "CONFIG_PATH": "other.yaml"]
        try fixture.write("# x\nAUTH_TOKEN_IDLE=\"12h\"\n", to: ".env")
        try fixture.write("revisions:\n  keep: 2\n", to: "c.yaml")
        let configuration = try fixture.load()
        #expect(configuration.http.port == 9000)
        #expect(configuration.log.level == .debug)
        #expect(configuration.blobs.readVerification == .always)
        #expect(configuration.authentication.tokenIdleTime == .seconds(12 * 3_600))
        #expect(configuration.revisions.keep == 2)
        let origins = ["http.port", "log.level", "auth.token-idle", "revisions.keep", "http.host"].map {
            configuration.provenance.value(named: $0)?.origin.description
        }
        #expect(
            origins == [
                "--http-port", "LOG_LEVEL in the environment", "AUTH_TOKEN_IDLE in .env, line 2", "c.yaml, line 2",
                "default",
            ])
        let lines = configuration.provenance.description.split(separator: "\n")
        #expect(lines.count == Keys.all.count)
        #expect(lines.contains { $0.hasPrefix("http.port ") && $0.contains(" 9000 ") && $0.hasSuffix(" --http-port") })
    }

    @Test("without any source everything has the documented default")
    func defaults() throws {
        let configuration = try ConfigurationFixture().load()
        #expect(configuration.http == .init(host: "127.0.0.1", port: 8080))
        #expect(configuration.dataDirectory == "./data")
        #expect(
            configuration.database
                == .init(
                    location: .sqlite(path: "./data/storaged.sqlite"), migration: .auto,
                    pool: .init(
                        size: 6, maxOverflow: 4, timeout: .seconds(30), recycle: .seconds(300), prePing: true,
                        useLIFO: true)))
        #expect(
            configuration.blobs
                == .init(store: .disk, isolation: .tokens, readVerification: .streamed, memoryCache: 16 << 20))
        #expect(
            configuration.authentication
                == .init(
                    registration: .open, minimumPasswordLength: 8, tokenLifetime: .seconds(30 * 86_400),
                    tokenIdleTime: .seconds(7 * 86_400), containers: .open, anonymousUploads: .auto))
        var rates = RateLimiter.Limits()
        rates.signIn = RateLimit(count: 10, per: .seconds(60))
        rates.registration = RateLimit(count: 5, per: .seconds(3_600))
        #expect(
            configuration.limits
                == .init(
                    uploadSize: 5 << 40, quota: nil, containerQuota: nil, files: nil, bodyRate: 1_024,
                    headerTimeout: .seconds(15), idleTimeout: .seconds(60), writeStall: .seconds(60), rates: rates))
        #expect(configuration.revisions.keep == 5)
        #expect(configuration.upkeep == .init(grace: .seconds(300), interval: .seconds(600), reserve: 64 << 20))
        #expect(configuration.log == .init(level: .info, format: .json))
        #expect(configuration.shutdown == .init(delay: .seconds(2), drain: .seconds(30)))
        #expect(configuration.notices == [])
        #expect(configuration.administrator == nil)
    }

    @Test(
        "limits are sizes and numbers, or none",
        arguments: [("none", nil), ("None", nil), ("0", 0), ("10", 10)] as [(String, Int64?)])
    func limits(text: String, value: Int64?) throws {
        let configuration = try StoragedConfiguration(
            settings: ["limits.quota": text, "limits.container-quota": text, "limits.files": text])
        #expect(configuration.limits.quota == value)
        #expect(configuration.limits.containerQuota == value)
        #expect(configuration.limits.files == value)
    }

    @Test("the administrator's password is in no print")
    func administrator() throws {
        let fixture = try ConfigurationFixture()
        try fixture.write("ADMIN_EMAIL = admin@gmail.com \nADMIN_PASSWORD = \"hunter2 hunter2\"\n", to: ".env")
        let configuration = try fixture.load()
        #expect(configuration.administrator?.login.description == "admin@gmail.com")
        #expect(configuration.administrator?.password.bytes == Array("hunter2 hunter2".utf8))
        for text in [
            "\(configuration)", String(reflecting: configuration.administrator), configuration.provenance.description,
        ] {
            #expect(!text.contains("hunter2"))
        }
        let lines = configuration.provenance.description.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("admin.password ") && $0.contains(" *** ") && $0.hasSuffix("line 2") })
    }

    @Test("the format of the log follows the terminal until somebody says otherwise")
    func logFormat() throws {
        let fixture = try ConfigurationFixture()
        #expect(try fixture.load(isTerminal: true).log.format == .text)
        fixture.environment["LOG_FORMAT"] = "json"
        #expect(try fixture.load(isTerminal: true).log.format == .json)
    }

    @Test("the database lies in the data directory until somebody says otherwise")
    func databaseFollowsData() throws {
        let fixture = try ConfigurationFixture()
        fixture.environment["DATA_DIRECTORY"] = "/srv/files/"
        #expect(try fixture.load().database.location == .sqlite(path: "/srv/files/storaged.sqlite"))
        fixture.arguments = ["--database-url", "sqlite:/fast/x.sqlite"]
        #expect(try fixture.load().database.location == .sqlite(path: "/fast/x.sqlite"))
    }

    @Test(
        "memory for the one means memory for the other",
        arguments: [["--database-url", "memory:"], ["--blobs-store", "memory"]])
    func memory(arguments: [String]) throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = arguments
        let configuration = try fixture.load()
        #expect(configuration.database.location == .memory)
        #expect(configuration.blobs.store == .memory)
    }

    @Test("CONFIG_PATH counts from .env too, and an absolute path as it is")
    func configPath() throws {
        let fixture = try ConfigurationFixture()
        try fixture.write("http.port: 9001", to: "c.yaml")
        try fixture.write("CONFIG_PATH=\(fixture.directory)/c.yaml", to: ".env")
        #expect(try fixture.load().http.port == 9001)
    }

    @Test("empty variables count as not given, and unknown ones are ignored")
    func emptyAndUnknown() throws {
        let fixture = try ConfigurationFixture()
        fixture.environment = ["HTTP_PORT": "", "HTTP_PROT": "x", "CONFIG_PATH": " ", "BUCKET": "", "http.port": "1"]
        try fixture.write("HTTP_PORT=9002\nWHATEVER=1\n", to: ".env")
        #expect(try fixture.load().http.port == 9002)
    }

    @Test("settings alone make a configuration that looks at nothing else")
    func fromSettings() throws {
        let configuration = try StoragedConfiguration(settings: ["http.port": "0", "data.directory": "-/a=b"])
        #expect(configuration.http.port == 0)
        #expect(configuration.dataDirectory == "-/a=b")
        #expect(throws: ConfigurationError.self) { try StoragedConfiguration(settings: ["http.prot": "0"]) }
    }
}
