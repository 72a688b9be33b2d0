import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
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
    init(_ configuration: StoragedConfiguration) async throws {
        let identity = try TLSIdentity(configuration)
        try ListeningAddress(configuration).check()
        let stores = try await Stores(configuration)
        do {
            try await self.init(configuration, stores, identity)
        } catch {
            await stores.close()
            throw error
        }
    }

    private init(_ configuration: StoragedConfiguration, _ stores: Stores, _ identity: TLSIdentity?) async throws {
        try await configuration.makeAdministrator(in: stores)
        let authentication = try configuration.builtInAuthentication(over: stores)
        readiness = Readiness()
        // What the stores need ends after everybody who uses them.
        services =
            stores.services + [
                try buildApplication(configuration, stores, authentication, readiness, identity),
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
    _ readiness: Readiness = Readiness(), _ identity: TLSIdentity? = nil
) throws -> some ApplicationProtocol {
    let storage = FileStorage(metadata: stores.metadata, blobs: stores.blobs, policy: configuration.filePolicy)
    let routes = StorageRoutes<StorageRequestContext>(
        storage: storage, accounts: authentication.accounts, authentication: authentication, readiness: readiness,
        anonymousUploads: configuration.authentication.anonymousUploads, publicURL: configuration.http.publicURL,
        trustedProxies: configuration.http.trustedProxies, crossOrigin: configuration.http.crossOrigin,
        serverName: "storaged")
    let plain = HTTPServerBuilder.storage(
        limits: configuration.connectionLimits, isSecure: identity != nil, recall: routes.recall)
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
            containers: authentication.containers)
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

    fileprivate var connectionLimits: ConnectionLimits {
        var connection = ConnectionLimits()
        connection.bodyRate = Int(limits.bodyRate)
        connection.headerTimeout = TimeAmount(limits.headerTimeout)
        connection.idleTimeout = TimeAmount(limits.idleTimeout)
        connection.writeStall = TimeAmount(limits.writeStall)
        return connection
    }
}
