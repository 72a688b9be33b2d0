import Testing

@testable import storaged

/// A configuration that cannot be right, and words that its message must have: the key and the cure.
struct WrongConfiguration: CustomTestStringConvertible, Sendable {
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var dotEnv: String?
    var yaml: String?
    let says: [String]

    var testDescription: String {
        "\(arguments) \(environment.sorted { $0.key < $1.key }) \(dotEnv ?? "") \(yaml ?? "")"
    }

    static let all: [WrongConfiguration] = [
        .init(arguments: ["--http-port", "70000"], says: ["http.port", "'70000'", "--http-port", "from 0 to 65535"]),
        .init(environment: ["HTTP_PORT": "eighty"], says: ["http.port", "'eighty'", "in the environment", "a port"]),
        .init(dotEnv: "\nHTTP_PORT=8080/tcp", says: ["http.port", ".env, line 2", "a port"]),
        .init(yaml: "http:\n  port: -1", says: ["http.port", "config.yaml, line 2", "a port"]),
        .init(arguments: ["--http-port="], says: ["http.port", "''", "a port"]),
        .init(environment: ["HTTP_HOST": "http://localhost"], says: ["http.host", "without scheme"]),
        .init(yaml: "data.directory: ''", says: ["data.directory", "a path"]),
        .init(
            environment: ["DATABASE_URL": "postgres://u:hunter2@h/d"],
            says: ["database.url", "does not have PostgreSQL", "sqlite:<path>"]),
        .init(environment: ["DATABASE_URL": "mysql://h/d"], says: ["database.url", "give sqlite:<path> or memory:"]),
        .init(arguments: ["--database-url", "sqlite:///data/x.sqlite"], says: ["database.url", "one slash"]),
        .init(arguments: ["--database-migrate", "always"], says: ["database.migrate", "auto, check, off"]),
        .init(environment: ["BLOBS_STORE": "s3"], says: ["blobs.store", "does not have S3", "disk or memory"]),
        .init(environment: ["BLOBS_STORE": "tape"], says: ["blobs.store", "one of disk, memory"]),
        .init(yaml: "blobs: {isolation: some}", says: ["blobs.isolation", "tokens, all, none"]),
        .init(arguments: ["--blobs-verify-reads=never"], says: ["blobs.verify-reads", "streamed, always"]),
        .init(environment: ["AUTH_REGISTRATION": "closed"], says: ["auth.registration", "open, admin, off"]),
        .init(environment: ["AUTH_PASSWORD_MIN": "0"], says: ["auth.password-min", "from 1 to 1024"]),
        .init(environment: ["AUTH_PASSWORD_MIN": "8.0"], says: ["auth.password-min", "whole number"]),
        .init(dotEnv: "AUTH_TOKEN_LIFETIME = forever", says: ["auth.token-lifetime", "a duration", "30d"]),
        .init(dotEnv: "AUTH_TOKEN_IDLE = 5m", says: ["auth.token-idle", "5min"]),
        .init(arguments: ["--auth-containers", "closed"], says: ["auth.containers", "open, known, off"]),
        .init(environment: ["LIMITS_UPLOAD_SIZE": "5T"], says: ["limits.upload-size", "'5T'", "5TiB"]),
        .init(environment: ["LIMITS_UPLOAD_SIZE": "0"], says: ["limits.upload-size", "1 to"]),
        .init(yaml: "limits:\n  body-rate: fast", says: ["limits.body-rate", "a size"]),
        .init(yaml: "limits:\n  idle-timeout: 0", says: ["limits.idle-timeout", "from 100ms"]),
        .init(environment: ["LIMITS_HEADER_TIMEOUT": "15 s"], says: ["limits.header-timeout", "30s"]),
        .init(environment: ["REVISIONS_KEEP": "many"], says: ["revisions.keep", "whole number"]),
        .init(environment: ["UPKEEP_GRACE": "-1"], says: ["upkeep.grace", "a duration"]),
        .init(environment: ["UPKEEP_RESERVE": "64mb"], says: ["upkeep.reserve", "a size"]),
        .init(environment: ["LOG_LEVEL": "verbose"], says: ["log.level", "debug", "warning"]),
        .init(environment: ["LOG_FORMAT": "xml"], says: ["log.format", "text, json"]),
        .init(environment: ["SHUTDOWN_DRAIN": "2d"], says: ["shutdown.drain", "to 1d"]),
        .init(arguments: ["--htpp-port", "1"], says: ["--htpp-port", "did you mean --http-port?"]),
        .init(arguments: ["--http-port"], says: ["--http-port", "needs a value"]),
        .init(yaml: "http:\n  prot: 1", says: ["http.prot", "config.yaml, line 2", "did you mean http.port?"]),
        .init(yaml: "http: 8080", says: ["http", "http.port"]),
        .init(yaml: "http:\n\tport: 1", says: ["config.yaml, line 2", "not YAML"]),
        .init(environment: ["CONFIG_PATH": "nowhere.yaml"], says: ["CONFIG_PATH", "nowhere.yaml", "give the path"]),
        .init(arguments: ["--config", "."], says: ["'.'", "cannot be read", "a readable file"]),
        .init(dotEnv: "A='b", says: [".env, line 1", "close it"]),
        .init(
            environment: ["BUCKET": "b"],
            says: ["s3.bucket", "BUCKET in the environment", "does not have S3", "blobs.store"]),
        .init(dotEnv: "BUCKET_NAME=b", says: ["s3.bucket", "BUCKET_NAME in .env, line 1", "does not have S3"]),
        .init(dotEnv: "ENDPOINT_URL=http://s3", says: ["s3.endpoint", "does not have S3"]),
        .init(yaml: "s3: {access-key: hunter2}", says: ["s3.access-key", "does not have S3"]),
        .init(arguments: ["--s3-secret-key", "hunter2"], says: ["s3.secret-key", "does not have S3"]),
        .init(
            environment: ["REDIS_URL": "redis://:hunter2@h"], says: ["cache.url", "REDIS_URL", "does not have a Redis"]),
        .init(yaml: "cache.url: redis://h", says: ["cache.url", "does not have a Redis"]),
        .init(dotEnv: "POSTGRES_HOST=h", says: ["POSTGRES_HOST in .env", "does not have PostgreSQL", "database.url"]),
        .init(dotEnv: "POSTGRES_db=d", says: ["POSTGRES_db in .env", "does not have PostgreSQL"]),
        .init(yaml: "database: {pool: {size: 3}}", says: ["database.pool.size", "does not have PostgreSQL"]),
        .init(
            yaml: "http: {tls: {certificate: a.pem}}",
            says: ["http.tls.certificate", "config.yaml, line 1", "without http.tls.key", "give both"]),
        .init(
            environment: ["HTTP_TLS_KEY": "a.key"],
            says: ["http.tls.key", "HTTP_TLS_KEY", "without http.tls.certificate", "give both"]),
        .init(
            environment: ["HTTP_PUBLIC_URL": "files.example.org"],
            says: ["http.public-url", "https://files.example.org"]),
        .init(arguments: ["--http-public-url=https://"], says: ["http.public-url", "an absolute URL"]),
        .init(dotEnv: "HTTP_PUBLIC_URL=https://a.example/?x=1", says: ["http.public-url", "an absolute URL"]),
        .init(
            environment: ["HTTP_TRUSTED_PROXIES": "127.0.0.1, proxy.local"],
            says: ["http.trusted-proxies", "'proxy.local' is no address", "10.0.0.0/8"]),
        .init(
            yaml: "http.trusted-proxies: 10.0.0.1/8", says: ["http.trusted-proxies", "no bit set behind the prefix"]),
        .init(arguments: ["--http-trusted-proxies", "all"], says: ["http.trusted-proxies", "'all' is no address"]),
        .init(environment: ["HTTP_CORS_ORIGINS": "app.example.org"], says: ["http.cors-origins", "* or origins"]),
        .init(
            arguments: ["--http-cors-origins", "https://app.example.org/"],
            says: ["http.cors-origins", "https://app.example.org"]),
        .init(yaml: "http: {cors-origins: [https://a.example]}", says: ["http.cors-origins", "one value, not a list"]),
        .init(
            environment: ["LIMITS_QUOTA": "1GB"], says: ["limits.quota", "LIMITS_QUOTA", "does not have this setting"]),
        .init(arguments: ["--log-file", "a.log"], says: ["log.file", "--log-file", "does not have this setting"]),
        .init(
            arguments: ["--database-url", "memory:", "--blobs-store", "disk"],
            says: ["database.url", "blobs.store", "do not go together", "set both"]),
        .init(
            arguments: ["--database-url", "sqlite:a", "--blobs-store", "memory"],
            says: ["database.url", "blobs.store", "do not go together", "set both"]),
    ]
}

@Suite("Wrong configurations")
struct WrongConfigurationTests {
    @Test("is refused with status 78 and a message that names the key and the cure", arguments: WrongConfiguration.all)
    func refused(wrong: WrongConfiguration) throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = wrong.arguments
        fixture.environment = wrong.environment
        if let text = wrong.dotEnv { try fixture.write(text, to: ".env") }
        if let text = wrong.yaml {
            try fixture.write(text, to: "config.yaml")
            fixture.environment["CONFIG_PATH"] = "config.yaml"
        }
        let error = #expect(throws: ConfigurationError.self) { try fixture.load() }
        #expect(error?.exitStatus == .configuration)
        #expect(error?.problems.count == 1, "\(error?.description ?? "")")
        for words in wrong.says {
            #expect(error?.description.contains(words) == true, "\(words) in: \(error?.description ?? "")")
        }
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test("everything that is wrong is said at once, from every source")
    func allAtOnce() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--http-prot", "1", "--http-port", "x"]
        fixture.environment = ["LOG_LEVEL": "loud", "REDIS_URL": "redis://h", "CONFIG_PATH": "c.yaml"]
        try fixture.write("UPKEEP_GRACE=soon\nA='\n", to: ".env")
        try fixture.write("http: {hots: a}\nrevisions.keep: few\n", to: "c.yaml")
        let problems = fixture.problems()
        #expect(problems.count == 8, "\(problems)")
        for words in [
            "--http-prot", "http.port", "log.level", "cache.url", "upkeep.grace", ".env, line 2", "http.hots",
            "revisions.keep",
        ] {
            #expect(problems.count { $0.contains(words) } >= 1, "\(words)")
        }
    }

    @Test("a value that a stronger source overrides is not judged")
    func overridden() throws {
        let fixture = try ConfigurationFixture()
        fixture.environment["HTTP_PORT"] = "nonsense"
        fixture.arguments = ["--http-port", "9000"]
        #expect(try fixture.load().http.port == 9000)
    }

    @Test("a service is decided otherwise by hand: the variables of the other one are named, and have no effect")
    func decidedByHand() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--database-url", "sqlite:x.sqlite", "--blobs-store=disk"]
        try fixture.write("POSTGRES_HOST=h\nPOSTGRES_PASSWORD=hunter2\nBUCKET=b\nPOOL_PRE_PING=True\n", to: ".env")
        let configuration = try fixture.load()
        #expect(configuration.database.location == .sqlite(path: "x.sqlite"))
        #expect(
            configuration.notices == [
                "POSTGRES_HOST in .env, line 1 has no effect in this build",
                "POSTGRES_PASSWORD in .env, line 2 has no effect in this build",
                "database.pool.pre-ping (POOL_PRE_PING in .env, line 4) has no effect in this build",
                "s3.bucket (BUCKET in .env, line 3) has no effect in this build",
            ])
    }

    @Test(
        "credentials and tuning alone configure no service",
        arguments: ["AWS_ACCESS_KEY_ID", "AWS_REGION", "POOL_SIZE", "LOG_FILE", "ADMIN_EMAIL"])
    func ambient(variable: String) throws {
        let fixture = try ConfigurationFixture()
        fixture.environment[variable] = "hunter2"
        let notices = try fixture.load().notices
        #expect(notices.count == 1)
        #expect(notices.first?.contains(variable) == true)
        #expect(notices.first?.contains("hunter2") == false)
    }

    @Test("a secret is in no message, no print and no provider")
    func secrets() throws {
        let secret = ConfigurationKey(
            "s3.secret-key", .count(in: 0...9), default: "0", aliases: ["SECRET_KEY"], isSecret: true, help: "a secret")
        let table = ConfigurationTable(keys: Keys.all + [secret], unavailable: [])
        let fixture = try ConfigurationFixture()
        fixture.environment = ["SECRET_KEY": "hunter2"]
        let error = #expect(throws: ConfigurationError.self) { try fixture.load(table: table) }
        #expect(error?.description.contains("s3.secret-key: '***' (SECRET_KEY in the environment)") == true)
        #expect(error?.description.contains("hunter2") == false)

        fixture.environment = ["SECRET_KEY": "7"]
        let values = try fixture.load(table: table).provenance
        let line = values.description.split(separator: "\n").last.map(String.init) ?? ""
        #expect(line.hasPrefix("s3.secret-key "))
        #expect(line.contains(" *** "))
        #expect(line.hasSuffix(" SECRET_KEY in the environment"))

        let layer = ConfigurationLayer(
            source: .environment, entries: ["s3.secret-key": .init(text: "hunter2", origin: .environment("SECRET_KEY"))]
        )
        #expect(String(reflecting: layer.provider(for: table)).contains("hunter2") == false)
        #expect(String(reflecting: layer.provider(for: .storaged)).contains("hunter2") == false)
    }

    @Test("an address with a password is shown without what follows its scheme")
    func databaseAddress() {
        #expect(Keys.databaseURL.shown("postgres://u:hunter2@h/d") == "postgres:***")
        #expect(Keys.databaseURL.shown("hunter2") == "***")
        #expect(Keys.databaseURL.shown("sqlite:./data/x") == "sqlite:./data/x")
    }

    @Test("a message stays on its line and steers no terminal, whatever the value holds")
    func controlBytes() throws {
        let fixture = try ConfigurationFixture()
        fixture.arguments = ["--http-host", "a\u{1B}[2J\r\n\u{9B}b\u{202E}" + String(repeating: "x", count: 500)]
        let problem = fixture.problems().first ?? ""
        #expect(problem.contains("'a\\u{1b}[2J\\u{d}\\u{a}\\u{9b}b\\u{202e}xxx"))
        #expect(problem.utf8.allSatisfy { $0 >= 0x20 })
        #expect(problem.count < 400)
    }
}
