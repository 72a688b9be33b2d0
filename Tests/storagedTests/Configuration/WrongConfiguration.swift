import Testing

/// A configuration that cannot be right, and what its message must name.
struct WrongConfiguration: CustomTestStringConvertible, Sendable {
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var dotEnv: String?
    var yaml: String?
    /// The key or flag that is wrong, as people can find it.
    let key: String
    /// The value that is wrong; nil where there is none, or where it may be a secret.
    var value: String?
    /// Where it was read, and what would be right.
    let says: [String]

    var testDescription: String {
        "\(arguments) \(environment.sorted { $0.key < $1.key }) \(dotEnv ?? "") \(yaml ?? "")"
    }

    static let all = values + addresses + names + missingParts + contradictions + buckets

    /// Values that their key cannot take.
    private static let values: [WrongConfiguration] = [
        .init(
            arguments: ["--http-port", "70000"], key: "http.port", value: "70000",
            says: ["(--http-port)", "from 0 to 65535"]),
        .init(
            environment: ["HTTP_PORT": "eighty"], key: "http.port", value: "eighty",
            says: ["HTTP_PORT in the environment", "a port"]),
        .init(
            dotEnv: "\nHTTP_PORT=8080/tcp", key: "http.port", value: "8080/tcp",
            says: ["HTTP_PORT in .env, line 2", "a port"]),
        .init(yaml: "http:\n  port: -1", key: "http.port", value: "-1", says: ["config.yaml, line 2", "a port"]),
        .init(arguments: ["--http-port="], key: "http.port", value: "", says: ["a port"]),
        .init(
            environment: ["HTTP_HOST": "http://localhost"], key: "http.host", value: "http://localhost",
            says: ["without scheme"]),
        .init(yaml: "data.directory: ''", key: "data.directory", value: "", says: ["a path"]),
        .init(
            environment: ["DATABASE_URL": "postgres://u:hun@hunter2@h/d"], key: "database.url", value: "postgres:***",
            says: ["postgres://user:password@host:port/database", "%40 for @"]),
        .init(
            environment: ["DATABASE_URL": "postgresql+asyncpg://u:hunter2@h/d"], key: "database.url",
            value: "postgresql+asyncpg:***", says: ["give postgres://user"]),
        .init(
            environment: ["DATABASE_URL": "mysql://h/hunter2"], key: "database.url", value: "mysql:***",
            says: ["give sqlite:<path>, postgres://", "or memory:"]),
        .init(
            yaml: "database: {pool: {size: 0}}", key: "database.pool.size", value: "0",
            says: ["config.yaml, line 1", "from 1 to 1000"]),
        .init(
            environment: ["POOL_SIZE": "six"], key: "database.pool.size", value: "six",
            says: ["POOL_SIZE in the environment", "a whole number"]),
        .init(
            dotEnv: "MAX_OVERFLOW=-1", key: "database.pool.max-overflow", value: "-1",
            says: ["MAX_OVERFLOW in .env, line 1", "from 0 to 1000"]),
        .init(
            arguments: ["--database-pool-timeout", "0"], key: "database.pool.timeout", value: "0",
            says: ["from 100ms"]),
        .init(
            environment: ["POOL_RECYCLE": "-2"], key: "database.pool.recycle", value: "-2", says: ["0 or -1 for never"]),
        .init(
            environment: ["POOL_PRE_PING": "maybe"], key: "database.pool.pre-ping", value: "maybe",
            says: ["true or false"]),
        .init(
            environment: ["POOL_USE_LIFO": "2"], key: "database.pool.use-lifo", value: "2", says: ["true or false"]),
        .init(
            dotEnv: "POSTGRES_PORT=54x", key: "POSTGRES_PORT", value: "54x",
            says: ["in .env, line 1", "from 1 to 65535"]),
        .init(
            environment: ["POSTGRES_HOST": "postgres://h", "POSTGRES_PASSWORD": "hunter2"], key: "POSTGRES_HOST",
            value: "postgres://h", says: ["in the environment", "without scheme and port"]),
        .init(
            arguments: ["--database-url", "sqlite:///data/x.sqlite"], key: "database.url",
            value: "sqlite:///data/x.sqlite", says: ["one slash"]),
        .init(
            arguments: ["--database-migrate", "always"], key: "database.migrate", value: "always",
            says: ["auto, check, off"]),
        .init(
            environment: ["BLOBS_STORE": "tape"], key: "blobs.store", value: "tape", says: ["one of disk, s3, memory"]),
        .init(yaml: "blobs: {isolation: some}", key: "blobs.isolation", value: "some", says: ["tokens, all, none"]),
        .init(
            arguments: ["--blobs-verify-reads=never"], key: "blobs.verify-reads", value: "never",
            says: ["streamed, always"]),
        .init(
            environment: ["AUTH_REGISTRATION": "closed"], key: "auth.registration", value: "closed",
            says: ["open, admin, off"]),
        .init(environment: ["AUTH_PASSWORD_MIN": "0"], key: "auth.password-min", value: "0", says: ["from 1 to 1024"]),
        .init(
            environment: ["AUTH_PASSWORD_MIN": "8.0"], key: "auth.password-min", value: "8.0", says: ["whole number"]),
        .init(
            dotEnv: "AUTH_TOKEN_LIFETIME = forever", key: "auth.token-lifetime", value: "forever",
            says: ["a duration", "30d"]),
        .init(dotEnv: "AUTH_TOKEN_IDLE = 5m", key: "auth.token-idle", value: "5m", says: ["5min"]),
        .init(
            arguments: ["--auth-containers", "closed"], key: "auth.containers", value: "closed",
            says: ["open, known, off"]),
        .init(environment: ["LIMITS_UPLOAD_SIZE": "5T"], key: "limits.upload-size", value: "5T", says: ["5TiB"]),
        .init(environment: ["LIMITS_UPLOAD_SIZE": "0"], key: "limits.upload-size", value: "0", says: ["of 1 to"]),
        .init(yaml: "limits:\n  body-rate: fast", key: "limits.body-rate", value: "fast", says: ["a size"]),
        .init(yaml: "limits:\n  idle-timeout: 0", key: "limits.idle-timeout", value: "0", says: ["from 100ms"]),
        .init(
            environment: ["LIMITS_HEADER_TIMEOUT": "15 s"], key: "limits.header-timeout", value: "15 s", says: ["30s"]),
        .init(
            environment: ["REDIS_URL": "redis://:hun@hunter2@h"], key: "cache.url", value: "***",
            says: ["REDIS_URL in the environment", "redis://:password@host:port/database", "%40 for @"]),
        .init(
            dotEnv: "CACHE_URL=rediss://:hunter2@h", key: "cache.url", value: "***",
            says: ["without TLS", "give redis://"]),
        .init(yaml: "cache.url: localhost:6379", key: "cache.url", value: "***", says: ["unix:///path"]),
        .init(
            environment: ["LIMITS_RATE_SIGN_IN": "10/m"], key: "limits.rate.sign-in", value: "10/m",
            says: ["such as 5/s, 10/min", "or none"]),
        .init(
            arguments: ["--limits-rate-register", "0/h"], key: "limits.rate.register", value: "0/h",
            says: ["1 to 1000000"]),
        .init(yaml: "limits.rate.requests: 5", key: "limits.rate.requests", value: "5", says: ["a rate"]),
        .init(
            yaml: "limits: {rate: {requests: 99999999999999999999/s}}", key: "limits.rate.requests",
            value: "99999999999999999999/s", says: ["a rate"]),
        .init(yaml: "limits.rate.sign-in: -1/s", key: "limits.rate.sign-in", value: "-1/s", says: ["a rate"]),
        .init(arguments: ["--limits-write-stall", "-5"], key: "limits.write-stall", value: "-5", says: ["a duration"]),
        .init(environment: ["REVISIONS_KEEP": "many"], key: "revisions.keep", value: "many", says: ["whole number"]),
        .init(environment: ["UPKEEP_GRACE": "-1"], key: "upkeep.grace", value: "-1", says: ["a duration"]),
        .init(yaml: "upkeep.interval: 0s", key: "upkeep.interval", value: "0s", says: ["from 1s"]),
        .init(environment: ["UPKEEP_RESERVE": "64mb"], key: "upkeep.reserve", value: "64mb", says: ["a size"]),
        .init(environment: ["LOG_LEVEL": "verbose"], key: "log.level", value: "verbose", says: ["debug", "warning"]),
        .init(environment: ["LOG_FORMAT": "xml"], key: "log.format", value: "xml", says: ["text, json"]),
        .init(dotEnv: "SHUTDOWN_DELAY='two seconds'", key: "shutdown.delay", value: "two seconds", says: ["to 1h"]),
        .init(environment: ["SHUTDOWN_DRAIN": "2d"], key: "shutdown.drain", value: "2d", says: ["to 1d"]),
        .init(
            dotEnv: "ADMIN_EMAIL=a:b\nADMIN_PASSWORD=hunter2hunter2", key: "admin.email", value: "a:b",
            says: ["without a colon"]),
        .init(environment: ["LIMITS_QUOTA": "lots"], key: "limits.quota", value: "lots", says: ["a size", "or none"]),
        .init(
            yaml: "limits: {container-quota: -1}", key: "limits.container-quota", value: "-1",
            says: ["a size", "or none"]),
        .init(
            arguments: ["--limits-files", "1k"], key: "limits.files", value: "1k", says: ["whole number", "or none"]),
    ]

    /// Names that nobody knows, and files that cannot be read.
    private static let names: [WrongConfiguration] = [
        .init(arguments: ["--htpp-port", "1"], key: "--htpp-port", says: ["did you mean --http-port?"]),
        .init(arguments: ["--admin-password", "hunter2"], key: "--admin-password", says: ["ADMIN_PASSWORD", ".env"]),
        .init(
            arguments: ["--database-url", "postgres://u:hunter2@h/d"], key: "--database-url",
            says: ["everybody on the machine", "DATABASE_URL", ".env"]),
        .init(arguments: ["--http-port"], key: "--http-port", says: ["needs a value", "write --http-port <value>"]),
        .init(arguments: ["--dryrun"], key: "--dryrun", says: ["did you mean --dry-run?"]),
        .init(yaml: "http:\n  prot: 1", key: "http.prot", says: ["config.yaml, line 2", "did you mean http.port?"]),
        .init(yaml: "http: 8080", key: "http", says: ["config.yaml, line 1", "http.port"]),
        .init(yaml: "http: {port: [1, 2]}", key: "http.port", says: ["config.yaml, line 1", "takes one value"]),
        .init(yaml: "http.port: 1\nhttp: {port: 2}", key: "http.port", says: ["given twice", "leave one of them"]),
        .init(yaml: "http:\n\tport: 1", key: "config.yaml", says: ["line 2", "not YAML", "indentation"]),
        .init(yaml: "- http.port", key: "config.yaml", says: ["write a mapping"]),
        .init(
            environment: ["CONFIG_PATH": "nowhere.yaml"], key: "CONFIG_PATH", value: "nowhere.yaml",
            says: ["give the path"]),
        .init(arguments: ["--config", "."], key: "'.'", says: ["cannot be read", "a readable file"]),
        .init(dotEnv: "A='b", key: ".env", says: ["line 1", "close it"]),
        .init(dotEnv: "HTTP PORT=1", key: ".env", says: ["line 1", "write NAME=value"]),
    ]

    /// Addresses, networks and origins that are none, and half an identity.
    private static let addresses: [WrongConfiguration] = [
        .init(
            environment: ["HTTP_PUBLIC_URL": "files.example.org"], key: "http.public-url",
            value: "files.example.org", says: ["https://files.example.org"]),
        .init(
            arguments: ["--http-public-url=https://"], key: "http.public-url", value: "https://",
            says: ["an absolute URL"]),
        .init(
            dotEnv: "HTTP_PUBLIC_URL=https://a.example/?x=1", key: "http.public-url",
            value: "https://a.example/?x=1", says: ["an absolute URL"]),
        .init(
            environment: ["HTTP_TRUSTED_PROXIES": "127.0.0.1, proxy.local"], key: "http.trusted-proxies",
            says: ["'proxy.local' is no address", "10.0.0.0/8"]),
        .init(
            yaml: "http.trusted-proxies: 10.0.0.1/8", key: "http.trusted-proxies", value: "10.0.0.1/8",
            says: ["no bit set behind the prefix"]),
        .init(
            arguments: ["--http-trusted-proxies", "all"], key: "http.trusted-proxies", value: "all",
            says: ["'all' is no address"]),
        .init(
            environment: ["HTTP_CORS_ORIGINS": "app.example.org"], key: "http.cors-origins",
            value: "app.example.org", says: ["* or origins"]),
        .init(
            arguments: ["--http-cors-origins", "https://app.example.org/"], key: "http.cors-origins",
            value: "https://app.example.org/", says: ["https://app.example.org"]),
        .init(
            yaml: "http: {cors-origins: [{https: a.example}]}", key: "http.cors-origins",
            says: ["one value or a list of them"]),
        .init(
            yaml: "http: {cors-origins: [https://u:hunter2@a.example]}", key: "http.cors-origins",
            value: "https://***@a.example", says: ["* or origins"]),
        .init(
            arguments: ["--http-public-url=https://u:hunter2@a.example"], key: "http.public-url",
            value: "https://***@a.example", says: ["an absolute URL"]),
        .init(
            yaml: "http: {tls: {certificate: a.pem}}", key: "http.tls.certificate",
            says: ["config.yaml, line 1", "without http.tls.key", "give both"]),
        .init(
            environment: ["HTTP_TLS_KEY": "a.key"], key: "http.tls.key",
            says: ["HTTP_TLS_KEY", "without http.tls.certificate", "give both"]),
    ]

    /// Services and settings that this build does not have.
    private static let missingParts: [WrongConfiguration] = [
        .init(
            arguments: ["--scrub-rate", "1MB"], key: "scrub.rate",
            says: ["--scrub-rate", "does not have this setting", "remove it"])
    ]

    /// What is right by itself and wrong together.
    private static let contradictions: [WrongConfiguration] = [
        .init(
            arguments: ["--http-port", "9090", "--admin-port", "9090"], key: "admin.port",
            says: ["--admin-port", "is http.port too", "give another port"]),
        .init(
            arguments: ["--database-url", "memory:", "--blobs-store", "disk"], key: "database.url",
            says: ["blobs.store", "do not go together", "set both"]),
        .init(
            arguments: ["--database-url", "sqlite:a", "--blobs-store", "memory"], key: "database.url",
            says: ["blobs.store", "do not go together", "set both"]),
        .init(
            arguments: ["--blobs-store", "memory"], dotEnv: "POSTGRES_PASSWORD=hunter2", key: "database.url",
            says: ["POSTGRES_* in .env", "blobs.store", "do not go together", "set both"]),
        .init(
            environment: ["ADMIN_EMAIL": "a@b.c"], key: "admin.email",
            says: ["ADMIN_EMAIL in the environment", "without admin.password", "set both or neither"]),
        .init(
            dotEnv: "ADMIN_PASSWORD = hunter2hunter2", key: "admin.password",
            says: ["without admin.email", "set both or neither"]),
        .init(
            dotEnv: "ADMIN_EMAIL = a@b.c\nADMIN_PASSWORD = hunter2", key: "admin.password",
            says: ["ADMIN_PASSWORD in .env, line 2", "8 to 1024 bytes"]),
        .init(
            dotEnv: "ADMIN_EMAIL = a@b.c\nADMIN_PASSWORD = password1", key: "admin.password",
            says: ["most common", "choose another"]),
        .init(
            arguments: ["--http-accel-redirect", "/_blobs/"], key: "http.accel-redirect", value: "/_blobs/",
            says: ["for proxies", "http.trusted-proxies"]),
        .init(
            arguments: [
                "--http-accel-redirect", "/_blobs/", "--http-trusted-proxies", "::1", "--database-url", "memory:",
            ], key: "http.accel-redirect", value: "/_blobs/", says: ["blobs.store is memory"]),
        .init(
            arguments: [
                "--http-accel-redirect", "/_blobs/", "--http-trusted-proxies", "::1", "--blobs-fallback", "disk:old",
            ], key: "http.accel-redirect", value: "/_blobs/", says: ["blobs.fallback"]),
    ]
}
