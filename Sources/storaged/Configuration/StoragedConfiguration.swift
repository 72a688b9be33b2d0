import Logging
import StorageCore
import StorageHTTP
import StorageRedis

/// Everything that the daemon was told, as values.
struct StoragedConfiguration: Sendable {
    struct HTTP: Sendable, Equatable {
        /// The paths of two PEM files.
        struct TLS: Sendable, Equatable {
            var certificate: String
            var key: String
        }

        var host: String
        /// 0 takes a free one.
        var port: Int
        /// nil speaks plain HTTP.
        var tls: TLS?
        /// nil takes it from each request.
        var publicURL: String?
        var trustedProxies: [IPNetwork] = []
        /// What proxies know the data directory by; nil where they send no file by themselves.
        var redirectPrefix: String?
        var crossOrigin = CrossOriginPolicy.none
    }

    /// A listener of its own for who watches the daemon.
    struct Admin: Sendable, Equatable {
        var host: String
        /// 0 takes a free one; nil for no such listener.
        var port: Int?
    }

    struct Database: Sendable, Equatable {
        enum Location: Sendable, Equatable {
            case sqlite(path: String)
            case postgres(PostgresURL)
            case memory
        }

        /// What `serve` does about the schema before it starts.
        enum Migration: String, Sendable, CaseIterable {
            case auto, check, off
        }

        /// How connections to PostgreSQL are kept; nothing to other databases.
        struct Pool: Sendable, Equatable {
            /// Connections that are kept.
            var size: Int
            /// Connections beyond those, given up after use.
            var maxOverflow: Int
            /// How long to wait for one.
            var timeout: Duration
            /// The age at which one is replaced; nil for never.
            var recycle: Duration?
            var prePing: Bool
            var useLIFO: Bool
        }

        var location: Location
        var migration: Migration
        var pool: Pool
    }

    struct Blobs: Sendable, Equatable {
        enum Store: String, Sendable, CaseIterable {
            case disk, s3, memory
        }

        /// A store that keeps what it has, as flags and settings name it.
        enum Place: Sendable, Equatable {
            /// The given directory, or that of the data.
            case disk(directory: String?)
            /// The configured bucket.
            case s3
        }

        var store: Store
        /// The old store while its blobs are moved; nil where nothing is moved.
        var fallback: Place?
        var isolation: FileStorage.Policy.Isolation
        var readVerification: FileStorage.Policy.Verification
        /// In bytes.
        var memoryCache: Int64
        /// On disk, in bytes; 0 for none.
        var hotCache: Int64 = 0
    }

    /// A bucket and what opens it.
    struct S3: Sendable, Equatable {
        /// `http` or `https`, a host and a port if it has one; nil for Amazon's own of the region.
        var endpoint: String?
        var region: String
        var bucket: String
        /// What all keys begin with, without a slash at its end; empty for nothing.
        var prefix: String
        var accessKey: SecretText
        var secretKey: SecretText
        var sessionToken: SecretText?
        /// Whether the bucket's name is in the path; else it is in the host's name.
        var isPathStyle: Bool
    }

    struct Authentication: Sendable, Equatable {
        var registration: AccountRegistry.Policy.Registration
        /// In bytes.
        var minimumPasswordLength: Int
        var tokenLifetime: Duration
        var tokenIdleTime: Duration
        /// Which UUIDs count as X-Auth-Token.
        var containers: ContainerTokenAuthProvider.Mode
        var anonymousUploads: AnonymousUploads
    }

    /// The administrator who is there from the first start on.
    struct Administrator: Sendable, Equatable {
        var login: Login
        var password: SecretText
    }

    struct Limits: Sendable, Equatable {
        /// In bytes.
        var uploadSize: Int64
        /// Of registered accounts; nil for no limit.
        var quota: Int64?
        /// Of the containers of tokens; nil for no limit.
        var containerQuota: Int64?
        /// Of either; nil for no limit.
        var files: Int64?
        /// Bytes a second; 0 allows any.
        var bodyRate: Int64
        var headerTimeout: Duration
        var idleTimeout: Duration
        var writeStall: Duration
        /// How often whoever comes from elsewhere may try.
        var rates = RateLimiter.Limits()
    }

    struct Revisions: Sendable, Equatable {
        /// Older ones beside the current.
        var keep: Int
    }

    struct Upkeep: Sendable, Equatable {
        var grace: Duration
        var interval: Duration
        /// In bytes.
        var reserve: Int64
    }

    struct Log: Sendable, Equatable {
        var level: Logger.Level
        var format: LogFormat
        /// nil for stderr.
        var file: String?
        /// Where errors go as well; nil for nowhere.
        var errorFile: String?
    }

    struct Shutdown: Sendable, Equatable {
        var delay: Duration
        var drain: Duration
    }

    var http: HTTP
    var admin: Admin
    var dataDirectory: String
    var database: Database
    var blobs: Blobs
    /// nil where nothing lies in a bucket.
    var s3: S3?
    /// nil where nothing is shared.
    var cache: RedisAddress?
    var authentication: Authentication
    var administrator: Administrator?
    var limits: Limits
    var revisions: Revisions
    var upkeep: Upkeep
    var log: Log
    var shutdown: Shutdown

    /// The texts that these values were made of, and where each came from.
    let provenance: ConfigurationValues
    /// Variables that were given and have no effect, in words for people.
    let notices: [String]
}

extension StoragedConfiguration {
    /// Makes values of texts that were all checked; throws the first refusal otherwise.
    init(_ values: ConfigurationValues, notices: [String] = []) throws(ValueRefusal) {
        http = try HTTP(
            host: values[Keys.httpHost], port: values[Keys.httpPort], tls: HTTP.TLS(values),
            publicURL: values[Keys.httpPublicURL], trustedProxies: values[Keys.httpTrustedProxies],
            redirectPrefix: values[Keys.httpAccelRedirect], crossOrigin: values[Keys.httpCORSOrigins])
        admin = try Admin(host: values[Keys.adminHost], port: values[Keys.adminPort])
        dataDirectory = try values[Keys.dataDirectory]
        database = try Database(
            location: values[Keys.databaseURL], migration: values[Keys.databaseMigrate], pool: Database.Pool(values))
        blobs = try Blobs(
            store: values[Keys.blobsStore], fallback: values[Keys.blobsFallback],
            isolation: values[Keys.blobsIsolation], readVerification: values[Keys.blobsVerifyReads],
            memoryCache: values[Keys.blobsMemoryCache], hotCache: values[Keys.blobsHotCache])
        s3 = blobs.usesBucket ? try S3(values) : nil
        cache = try values[Keys.cacheURL]
        authentication = try Authentication(
            registration: values[Keys.authRegistration], minimumPasswordLength: values[Keys.authPasswordMin],
            tokenLifetime: values[Keys.authTokenLifetime], tokenIdleTime: values[Keys.authTokenIdle],
            containers: values[Keys.authContainers], anonymousUploads: values[Keys.anonymousUploads])
        if let login = try values[Keys.adminEmail], let password = try values[Keys.adminPassword] {
            administrator = Administrator(login: login, password: password)
        }
        limits = try Limits(
            uploadSize: values[Keys.limitsUploadSize], quota: values[Keys.limitsQuota],
            containerQuota: values[Keys.limitsContainerQuota], files: values[Keys.limitsFiles],
            bodyRate: values[Keys.limitsBodyRate],
            headerTimeout: values[Keys.limitsHeaderTimeout], idleTimeout: values[Keys.limitsIdleTimeout],
            writeStall: values[Keys.limitsWriteStall])
        limits.rates.signIn = try values[Keys.limitsRateSignIn]
        limits.rates.registration = try values[Keys.limitsRateRegister]
        limits.rates.requests = try values[Keys.limitsRateRequests]
        revisions = try Revisions(keep: values[Keys.revisionsKeep])
        upkeep = try Upkeep(
            grace: values[Keys.upkeepGrace], interval: values[Keys.upkeepInterval], reserve: values[Keys.upkeepReserve])
        log = try Log(
            level: values[Keys.logLevel], format: values[Keys.logFormat], file: values[Keys.logFile],
            errorFile: values[Keys.logErrorFile])
        shutdown = try Shutdown(delay: values[Keys.shutdownDelay], drain: values[Keys.shutdownDrain])
        provenance = values
        self.notices = notices
    }

    /// The configuration that has `settings`, by dotted key, and the default of everything else. Looks at no file and no
    /// environment.
    init(settings: [String: String]) throws(ConfigurationError) {
        let keys = ConfigurationTable.storaged.keys
        let secrets = Set(keys.filter { key in settings[key.name].map(key.holdsSecret) ?? false }.map(\.name))
        let arguments = settings.filter { !secrets.contains($0.key) }.map { "\($0.key.flagSpelling)=\($0.value)" }
        let variables = settings.filter { secrets.contains($0.key) }.map { ($0.key.environmentSpelling, $0.value) }
        let loader = ConfigurationLoader(
            commandLine: CommandLineSplit(arguments), environment: Dictionary(variables) { $1 }, directory: nil,
            isTerminal: false)
        self = try loader.load()
    }
}

extension StoragedConfiguration.Database.Pool {
    fileprivate init(_ values: ConfigurationValues) throws(ValueRefusal) {
        size = try values[Keys.databasePoolSize]
        maxOverflow = try values[Keys.databasePoolMaxOverflow]
        timeout = try values[Keys.databasePoolTimeout]
        recycle = try values[Keys.databasePoolRecycle]
        prePing = try values[Keys.databasePoolPrePing]
        useLIFO = try values[Keys.databasePoolUseLIFO]
    }
}

extension StoragedConfiguration.Blobs {
    /// Whether any blobs lie in a bucket.
    var usesBucket: Bool { store == .s3 || fallback == .s3 }

    /// Whether copies of what is in a bucket are kept on disk.
    var hasHotCache: Bool { store == .s3 && hotCache > 0 }
}

extension StoragedConfiguration.S3 {
    /// nil without a bucket or what opens it.
    init?(_ values: ConfigurationValues) throws(ValueRefusal) {
        guard let bucket = try values[Keys.s3Bucket], let accessKey = try values[Keys.s3AccessKey],
            let secretKey = try values[Keys.s3SecretKey]
        else { return nil }
        self.init(
            endpoint: try values[Keys.s3Endpoint], region: try values[Keys.s3Region], bucket: bucket,
            prefix: try values[Keys.s3Prefix], accessKey: accessKey, secretKey: secretKey,
            sessionToken: try values[Keys.s3SessionToken], isPathStyle: try values[Keys.s3PathStyle])
    }
}

extension StoragedConfiguration.HTTP.TLS {
    /// nil where none is configured.
    fileprivate init?(_ values: ConfigurationValues) throws(ValueRefusal) {
        guard let certificate = try values[Keys.httpTLSCertificate], let key = try values[Keys.httpTLSKey] else {
            return nil
        }
        self.init(certificate: certificate, key: key)
    }
}
