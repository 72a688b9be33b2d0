import StorageCore
import StorageHTTP

/// Every setting that the daemon knows: the ones it has, and the ones it can only refuse.
struct ConfigurationTable: Sendable {
    let keys: [any ConfigurationKeyDescription]
    let unavailable: [UnavailableKey]

    static let storaged = ConfigurationTable(keys: Keys.all, unavailable: UnavailableKey.all)

    /// Dotted names, for YAML.
    ///
    /// With those of parts that this build does not have.
    var names: [String] { keys.map(\.name) + unavailable.map(\.name) }

    /// Whether nobody else may read this value of a key. What is no key of the table is secret.
    func isSecret(_ text: String, of name: String) -> Bool {
        guard let key = keys.first(where: { $0.name == name }) else { return true }
        return key.isSecret || key.shown(text) != text
    }
}

/// The settings of the parts that this build has.
enum Keys {
    private static let days: ClosedRange<Duration> = .seconds(1)...(.seconds(3_650 * 86_400))
    private static let timeout: ClosedRange<Duration> = .milliseconds(100)...(.seconds(86_400))
    private static let anySize: ClosedRange<Int64> = 0...(1 << 62)

    static let httpHost = ConfigurationKey(
        "http.host", .host, default: "127.0.0.1", help: "address to listen on; 0.0.0.0 or :: for all of them")
    static let httpPort = ConfigurationKey(
        "http.port", .port, default: "8080", help: "port to listen on; 0 takes a free one")
    static let httpTLSCertificate = ConfigurationKey(
        "http.tls.certificate", .optionalPath, default: .nothing(shown: "none"),
        help: "PEM file of the server's certificate chain; with the key it means TLS")
    static let httpTLSKey = ConfigurationKey(
        "http.tls.key", .optionalPath, default: .nothing(shown: "none"),
        help: "PEM file with the private key of the certificate, without a passphrase")
    static let httpPublicURL = ConfigurationKey(
        "http.public-url", .publicURL, default: .nothing(shown: "from the request"),
        help: "base of every absolute URL, such as https://files.example.org")
    static let httpTrustedProxies = ConfigurationKey(
        "http.trusted-proxies", .networks, default: .nothing(shown: "none"),
        help: "addresses and networks whose Forwarded, X-Forwarded-* are believed")
    static let httpAccelRedirect = ConfigurationKey(
        "http.accel-redirect", .uriPrefix, default: .nothing(shown: "none"),
        help: "path by which nginx in front knows data.directory, to send files itself")
    static let httpCORSOrigins = ConfigurationKey(
        "http.cors-origins", .origins, default: .nothing(shown: "none"),
        help: "origins whose pages may use this server from a browser, or * for all")

    static let adminHost = ConfigurationKey(
        "admin.host", .host, default: "127.0.0.1", help: "address that the admin.port is at")
    static let adminPort = ConfigurationKey(
        "admin.port", .optionalPort, default: .nothing(shown: "none"),
        help: "port of a listener for /metrics alone; 0 takes a free one")

    static let dataDirectory = ConfigurationKey(
        "data.directory", .path, default: "./data", help: "SQLite file, store/, containers/ and staging")

    static let databaseURL = ConfigurationKey(
        "database.url", .databaseLocation,
        default: .derived(described: "sqlite:<data.directory>/storaged.sqlite") { context in
            if context.blobsStore?.asciiLowercased == "memory" { return "memory:" }
            let isClosed = context.dataDirectory.utf8.last == UInt8(ascii: "/")
            return "sqlite:" + context.dataDirectory + (isClosed ? "" : "/") + "storaged.sqlite"
        },
        help: "sqlite:<path>, postgres://…, or memory: (forgets everything at exit)")
    static let databaseMigrate = ConfigurationKey<StoragedConfiguration.Database.Migration>(
        "database.migrate", .choice, default: "auto",
        help: "schema at start: auto brings it up, check refuses an old one, or off")

    static let databasePoolSize = ConfigurationKey(
        "database.pool.size", .count(in: 1...1_000), default: "6", aliases: ["POOL_SIZE"],
        help: "PostgreSQL: connections that are kept")
    static let databasePoolMaxOverflow = ConfigurationKey(
        "database.pool.max-overflow", .count(in: 0...1_000), default: "4", aliases: ["MAX_OVERFLOW"],
        help: "PostgreSQL: connections beyond those while there is much to do")
    static let databasePoolTimeout = ConfigurationKey(
        "database.pool.timeout", .duration(in: timeout), default: "30s", aliases: ["POOL_TIMEOUT"],
        help: "PostgreSQL: how long a request waits for a connection before 503")
    static let databasePoolRecycle = ConfigurationKey(
        "database.pool.recycle", .durationOrNever(in: days), default: "300s", aliases: ["POOL_RECYCLE"],
        help: "PostgreSQL: age at which a connection is replaced; 0 or -1 for never")
    static let databasePoolPrePing = ConfigurationKey(
        "database.pool.pre-ping", .boolean, default: "true", aliases: ["POOL_PRE_PING"],
        help: "PostgreSQL: ask a connection whether it is alive before it is used")
    static let databasePoolUseLIFO = ConfigurationKey(
        "database.pool.use-lifo", .boolean, default: "true", aliases: ["POOL_USE_LIFO"],
        help: "PostgreSQL: take the connection used last; else the one idle longest")

    static let blobsStore = ConfigurationKey<StoragedConfiguration.Blobs.Store>(
        "blobs.store", .choice,
        default: .derived(described: "s3 with an s3.bucket, else disk") { context in
            if !context.bucket.isEmpty { return "s3" }
            return context.databaseURL?.asciiLowercased == "memory:" ? "memory" : "disk"
        },
        help: "where the bytes are: disk, s3, or memory (forgets them at exit)")
    static let blobsFallback = ConfigurationKey(
        "blobs.fallback", .optionalBlobPlace, default: .nothing(shown: "none"),
        help: "the old store while copy-blobs moves it: disk, disk:<directory> or s3")
    static let blobsHotCache = ConfigurationKey(
        "blobs.hot-cache", .size(in: anySize), default: "0",
        help: "disk space for copies of S3's files that are read often; 0 for none")
    static let blobsIsolation = ConfigurationKey<FileStorage.Policy.Isolation>(
        "blobs.isolation", .choice, default: "tokens",
        help: "accounts whose bytes lie in a space of their own: tokens, all, none")
    static let blobsVerifyReads = ConfigurationKey<FileStorage.Policy.Verification>(
        "blobs.verify-reads", .choice, default: "streamed",
        help: "hash what is read: streamed bodies only, or always (without sendfile)")
    static let blobsMemoryCache = ConfigurationKey(
        "blobs.memory-cache", .size(in: 0...(1 << 40)), default: "16MiB",
        help: "memory for the bytes of small files that are read often; 0 for none")

    static let cacheURL = ConfigurationKey(
        "cache.url", .optionalCacheAddress, default: .nothing(shown: "none"), aliases: ["REDIS_URL"],
        help: "Redis that several processes share: redis://:password@host:port/db")

    static let authRegistration = ConfigurationKey<AccountRegistry.Policy.Registration>(
        "auth.registration", .choice, default: "open",
        help: "who may make accounts: open (everybody), admin, off")
    static let authPasswordMin = ConfigurationKey(
        "auth.password-min", .count(in: 1...1_024), default: "8", help: "shortest password, in bytes")
    static let authTokenLifetime = ConfigurationKey(
        "auth.token-lifetime", .duration(in: days), default: "30d", help: "how long a sign-in lasts at most")
    static let authTokenIdle = ConfigurationKey(
        "auth.token-idle", .duration(in: days), default: "7d", help: "how long an unused sign-in lasts")
    static let authContainers = ConfigurationKey<ContainerTokenAuthProvider.Mode>(
        "auth.containers", .choice, default: "open",
        help: "X-Auth-Token: open (any UUID), known (only those that exist), off")

    static let anonymousUploads = ConfigurationKey<AnonymousUploads>(
        "anonymous.uploads", .choice, default: "auto",
        help: "uid uploads without credentials: auto (from this machine), on, off")

    static let adminEmail = ConfigurationKey(
        "admin.email", .login, default: .nothing(shown: "none"),
        help: "login of the administrator, who is made at start if there is none"
    )
    static let adminPassword = ConfigurationKey(
        "admin.password", .secret, default: .nothing(shown: "none"), isSecret: true,
        help: "password of that administrator when made")

    static let limitsUploadSize = ConfigurationKey(
        "limits.upload-size", .size(in: 1...(1 << 62)), default: "5TiB", help: "largest file")
    static let limitsQuota = ConfigurationKey(
        "limits.quota", .orNone(.size(in: anySize)), default: "none", help: "bytes that a registered account may store")
    static let limitsContainerQuota = ConfigurationKey(
        "limits.container-quota", .orNone(.size(in: anySize)), default: "none",
        help: "bytes that the container of an X-Auth-Token may store")
    static let limitsFiles = ConfigurationKey(
        "limits.files", .orNone(.count(in: anySize)), default: "none",
        help: "files that an account or a container may have")
    static let limitsBodyRate = ConfigurationKey(
        "limits.body-rate", .size(in: anySize), default: "1KiB",
        help: "slowest upload, in bytes a second after the first 30 s; 0 allows any")
    static let limitsHeaderTimeout = ConfigurationKey(
        "limits.header-timeout", .duration(in: timeout), default: "15s", help: "time for the head of a request")
    static let limitsIdleTimeout = ConfigurationKey(
        "limits.idle-timeout", .duration(in: timeout), default: "60s", help: "time between two requests of a connection"
    )
    static let limitsWriteStall = ConfigurationKey(
        "limits.write-stall", .duration(in: timeout), default: "60s", help: "time without progress in a download")

    static let limitsRateSignIn = ConfigurationKey(
        "limits.rate.sign-in", .rateOrNone, default: "10/min",
        help: "wrong passwords for a login from an address; for all, three times that")
    static let limitsRateRegister = ConfigurationKey(
        "limits.rate.register", .rateOrNone, default: "5/h", help: "registrations from one address")
    static let limitsRateRequests = ConfigurationKey(
        "limits.rate.requests", .rateOrNone, default: "none", help: "requests from one address")

    static let revisionsKeep = ConfigurationKey(
        "revisions.keep", .count(in: 0...10_000), default: "5",
        help: "older revisions kept beside the current one; token containers keep none")

    static let upkeepGrace = ConfigurationKey(
        "upkeep.grace", .duration(in: .zero...(.seconds(3_650 * 86_400))),
        default: .derived(described: "5min, with S3 24h") { $0.usesBucket ? "24h" : "5min" },
        help: "age at which bytes without a reference may be collected")
    static let upkeepInterval = ConfigurationKey(
        "upkeep.interval", .duration(in: days), default: "10min", help: "time between two collections")
    static let upkeepReserve = ConfigurationKey(
        "upkeep.reserve", .size(in: anySize), default: "64MiB",
        help: "disk space that uploads leave free, so that deletion still works")

    static let logLevel = ConfigurationKey(
        "log.level", .logLevel, default: "info", help: "trace, debug, info, notice, warning, error or critical")
    static let logFormat = ConfigurationKey<LogFormat>(
        "log.format", .choice,
        default: .derived(described: "text on a terminal, else json") { $0.isTerminal ? "text" : "json" },
        help: "text, or json (one object a line)")

    static let logFile = ConfigurationKey(
        "log.file", .optionalPath, default: .nothing(shown: "stderr"),
        help: "file that the log goes to; opened again at SIGHUP")
    static let logErrorFile = ConfigurationKey(
        "log.error-file", .optionalPath, default: .nothing(shown: "none"),
        help: "file that lines of level error and above go to as well")

    static let shutdownDelay = ConfigurationKey(
        "shutdown.delay", .duration(in: .zero...(.seconds(3_600))), default: "2s",
        help: "after SIGTERM: not ready, but still accepting")
    static let shutdownDrain = ConfigurationKey(
        "shutdown.drain", .duration(in: .zero...(.seconds(86_400))), default: "30s",
        help: "after that: time to finish what is in flight")

    static let all: [any ConfigurationKeyDescription] = [
        httpHost, httpPort, httpTLSCertificate, httpTLSKey, httpPublicURL, httpTrustedProxies,
        httpAccelRedirect, httpCORSOrigins, adminHost, adminPort,
        dataDirectory, databaseURL, databaseMigrate, databasePoolSize, databasePoolMaxOverflow, databasePoolTimeout,
        databasePoolRecycle, databasePoolPrePing, databasePoolUseLIFO,
        blobsStore, blobsFallback, blobsIsolation, blobsVerifyReads, blobsMemoryCache, blobsHotCache,
        s3Endpoint, s3Region, s3Bucket, s3Prefix, s3AccessKey, s3SecretKey, s3SessionToken, s3PathStyle,
        cacheURL, authRegistration, authPasswordMin, authTokenLifetime, authTokenIdle, authContainers,
        anonymousUploads, adminEmail, adminPassword,
        limitsUploadSize, limitsQuota, limitsContainerQuota, limitsFiles, limitsBodyRate, limitsHeaderTimeout,
        limitsIdleTimeout, limitsWriteStall, limitsRateSignIn, limitsRateRegister, limitsRateRequests,
        revisionsKeep, upkeepGrace, upkeepInterval, upkeepReserve, logLevel, logFormat, logFile, logErrorFile,
        shutdownDelay, shutdownDrain,
    ]
}
