import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import Metrics
import NIOCore
import ServiceLifecycle
import StorageCore
import StorageHTTP

/// All parts of a daemon, put together: the one place that knows them all.
struct Assembly {
    /// What runs until the end.
    let services: [any Service]
    let readiness: Readiness
    private let authentication: BuiltInAuthentication
    private let stores: Stores

    /// Opens the stores and builds everything on top of them; nothing listens yet.
    ///
    /// - Parameter metrics: What was counted, to be shown; nil shows nothing.
    init(_ configuration: StoragedConfiguration, metrics: MetricsRegistry? = nil) async throws {
        let identity = try TLSIdentity(configuration)
        try ListeningAddress(configuration).check()
        try ListeningAddress(admin: configuration)?.check()
        let stores = try await Stores(configuration)
        do {
            try await self.init(configuration, stores, identity, metrics)
        } catch {
            await stores.close()
            throw error
        }
    }

    private init(
        _ configuration: StoragedConfiguration, _ stores: Stores, _ identity: TLSIdentity?, _ metrics: MetricsRegistry?
    ) async throws {
        try await configuration.makeAdministrator(in: stores)
        let authentication = try configuration.builtInAuthentication(over: stores)
        readiness = Readiness()
        metrics?.sample(stores.sample)
        let admin = AdminListener(configuration, metrics).map { [$0] } ?? []
        // What the stores need ends after everybody who uses them; who watches sees it all end.
        services =
            stores.services + admin + [
                try buildApplication(configuration, stores, authentication, readiness, identity, metrics),
                GarbageCollector(
                    metadata: stores.metadata, blobs: stores.blobs, grace: configuration.upkeep.grace,
                    interval: configuration.upkeep.interval),
                Sweeper(metadata: stores.metadata, interval: configuration.upkeep.interval),
            ]
        self.authentication = authentication
        self.stores = stores
    }

    func close() async {
        await authentication.shutdown()
        await stores.close()
    }
}

/// The HTTP server of a daemon over its stores: what tests call as well.
func buildApplication(
    _ configuration: StoragedConfiguration, _ stores: Stores, _ authentication: BuiltInAuthentication,
    _ readiness: Readiness = Readiness(), _ identity: TLSIdentity? = nil, _ metrics: MetricsRegistry? = nil
) throws -> some ApplicationProtocol {
    let storage = FileStorage(metadata: stores.metadata, blobs: stores.blobs, policy: configuration.filePolicy)
    let routes = StorageRoutes<StorageRequestContext>(
        storage: storage, accounts: authentication.accounts, authentication: authentication, readiness: readiness,
        anonymousUploads: configuration.authentication.anonymousUploads, publicURL: configuration.http.publicURL,
        trustedProxies: configuration.http.trustedProxies, redirectPrefix: configuration.http.redirectPrefix,
        crossOrigin: configuration.http.crossOrigin, serverName: "storaged", limiter: authentication.limiter,
        cache: stores.cache?.cache, scratchDirectory: configuration.scratchDirectory,
        swaggerUI: try SwaggerUI.ofTheBuild(), metrics: metrics ?? MetricsSystem.factory,
        exposed: configuration.admin.port == nil ? metrics : nil)
    let plain = HTTPServerBuilder.storage(
        limits: configuration.connectionLimits, isSecure: identity != nil, recall: routes.recall,
        metrics: metrics ?? MetricsSystem.factory)
    return Application(
        responder: routes,
        server: try identity.map { try .tls(plain, tlsConfiguration: $0.configuration) } ?? plain,
        configuration: ApplicationConfiguration(
            address: .hostname(configuration.http.host, port: configuration.http.port)),
        logger: Logger(label: "storage.http"))
}

extension StoragedConfiguration {
    /// The rules of files.
    var filePolicy: FileStorage.Policy {
        var policy = FileStorage.Policy()
        policy.uploadSize = limits.uploadSize
        policy.limits = ContainerLimits(bytes: limits.quota, files: limits.files)
        policy.tokenLimits = ContainerLimits(bytes: limits.containerQuota, files: limits.files)
        policy.keepRevisions = revisions.keep
        policy.isolation = blobs.isolation
        policy.verification = blobs.readVerification
        return policy
    }

    /// Who may sign in, and how. To be shut down at the end, before the stores are closed.
    func builtInAuthentication(over stores: Stores) throws -> BuiltInAuthentication {
        try BuiltInAuthentication(
            metadata: stores.metadata, policy: accountPolicy,
            passwords: PasswordPolicy(minimumBytes: authentication.minimumPasswordLength),
            containers: authentication.containers,
            limiter: RateLimiter(limits.rates, cache: stores.cache), cache: stores.cache)
    }

    /// The rules of accounts.
    var accountPolicy: AccountRegistry.Policy {
        var policy = AccountRegistry.Policy()
        policy.registration = authentication.registration
        policy.tokenLifetime = authentication.tokenLifetime
        policy.tokenIdle = authentication.tokenIdleTime
        policy.isolation = blobs.isolation
        return policy
    }

    /// The data directory; nil, for the system's own, where all is in memory and nobody makes that.
    fileprivate var scratchDirectory: String? {
        blobs.store == .memory ? nil : dataDirectory
    }

    fileprivate var connectionLimits: ConnectionLimits {
        var connection = ConnectionLimits()
        connection.bodyRate = Int(limits.bodyRate)
        connection.headerTimeout = TimeAmount(limits.headerTimeout)
        connection.idleTimeout = TimeAmount(limits.idleTimeout)
        connection.writeStall = TimeAmount(limits.writeStall)
        return connection
    }
}
