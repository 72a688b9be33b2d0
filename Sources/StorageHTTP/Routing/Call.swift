import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import StorageCore

/// One request with everything a route needs to answer it.
///
/// A class, as ``Services`` is: a value would be copied field by field into each closure that answers.
final class Call: Sendable {
    let request: Request
    let target: RequestTarget
    /// The query, decoded.
    let query: FormURLEncoded
    /// The rest of the path where the route takes one, decoded once.
    let rest: [UInt8]
    /// Where the request came from.
    let peer: Peer
    /// The connection, where the embedding application's context has it.
    let channel: (any Channel)?
    let log: AccessLog
    let services: Services

    init(
        request: Request, target: RequestTarget, query: FormURLEncoded, rest: [UInt8], peer: Peer,
        channel: (any Channel)?, log: AccessLog, services: Services
    ) {
        self.request = request
        self.target = target
        self.query = query
        self.rest = rest
        self.peer = peer
        self.channel = channel
        self.log = log
        self.services = services
    }

    /// What all routes share.
    final class Services: Sendable {
        let storage: FileStorage
        let accounts: AccountRegistry
        let authentication: any AuthProvider
        let readiness: Readiness
        let anonymousUploads: AnonymousUploads
        let publicURL: String?
        let trustedProxies: [IPNetwork]
        let redirectPrefix: String?
        let crossOrigin: CrossOriginPolicy
        let compressor: Compressor
        let heads: PreparedHeads
        let archives: ArchiveScratch
        let limiter: RateLimiter?
        let cache: (any SharedCache)?
        let swaggerUI: SwaggerUI?
        /// What `/metrics` answers; nil where it is not there.
        let exposed: MetricsRegistry?

        init(
            storage: FileStorage, accounts: AccountRegistry, authentication: any AuthProvider, readiness: Readiness,
            anonymousUploads: AnonymousUploads, publicURL: String?, trustedProxies: [IPNetwork],
            redirectPrefix: String?, crossOrigin: CrossOriginPolicy, compressor: Compressor, heads: PreparedHeads,
            archives: ArchiveScratch, limiter: RateLimiter?, cache: (any SharedCache)?, swaggerUI: SwaggerUI?,
            exposed: MetricsRegistry?
        ) {
            self.storage = storage
            self.accounts = accounts
            self.authentication = authentication
            self.readiness = readiness
            self.anonymousUploads = anonymousUploads
            self.publicURL = publicURL
            self.trustedProxies = trustedProxies
            self.redirectPrefix = redirectPrefix
            self.crossOrigin = crossOrigin
            self.compressor = compressor
            self.heads = heads
            self.archives = archives
            self.limiter = limiter
            self.cache = cache
            self.swaggerUI = swaggerUI
            self.exposed = exposed
        }
    }

    /// Carries the id of the request with every line.
    var logger: Logger { log.logger }
    /// What the request is found by in logs.
    var id: String { log.id }
    var storage: FileStorage { services.storage }
    var compressor: Compressor { services.compressor }
    /// The accounts, which record where this request came from.
    var accounts: AccountRegistry {
        services.accounts.asked(from: peer.address?.description, counting: peer.client)
    }
    /// The rest of the path as one segment; a slash behind it does not matter.
    var parameter: ArraySlice<UInt8> { rest.last == ASCII.slash ? rest.dropLast() : rest[...] }
    var headers: HTTPFields { request.headers }
    var isHead: Bool { request.method == .head }
    /// Whether the client takes contents in gzip.
    var welcomesGzip: Bool { AcceptEncoding.welcomesGzip(headers[values: .acceptEncoding]) }

    /// Whether the client may still take the answer: false once the connection is known to be gone.
    var isWanted: @Sendable () -> Bool {
        { [channel] in channel?.isActive ?? true }
    }

    /// Who asks.
    ///
    /// - Throws: 401 without a valid credential, 400 for more than one.
    func principal() async throws -> Principal {
        guard let principal = try await principalIfAny() else { throw StorageError.unauthenticated }
        return principal
    }

    /// Who asks; nil without any credential.
    func principalIfAny() async throws -> Principal? {
        try await services.principal(of: request, from: peer)
    }

    /// Who asks, where that is known without waiting; nil says nothing.
    func recalledPrincipal() -> Principal? {
        (try? Credential(request)).flatMap { services.authentication.recall($0) }
    }

    /// The conditions of a change.
    func precondition() throws -> Precondition {
        try Precondition(headers)
    }

    /// `Location` of a path of this server: below the configured base, where there is one, since that may have a path of its own.
    func location(_ path: String) -> String {
        (services.publicURL ?? "") + path
    }

    /// The absolute URL of a path and query of this server.
    func url(_ path: String) -> String {
        let base = services.publicURL ?? peer.origin ?? "\(peer.scheme)://localhost"
        return base + path
    }
}

extension Precondition {
    init(_ headers: HTTPFields) throws {
        // RFC 9110 sections 13.1.1 and 13.1.2: If-Match compares strongly, If-None-Match weakly. Who got a file in gzip knows its
        // revision by the tag of that.
        func tags(_ name: HTTPField.Name, weakly: Bool) throws -> Tags? {
            switch try EntityTagCondition.parse(headers[values: name]) {
            case nil: return nil
            case .any: return .any
            case .tags(let tags):
                let comparable = tags.filter { weakly || !$0.isWeak }
                return .revisions(comparable.compactMap { RevisionID(text: $0.withoutCoding) })
            }
        }
        self.init(
            ifMatch: try tags(.ifMatch, weakly: false), ifNoneMatch: try tags(.ifNoneMatch, weakly: true))
        if let value = headers[.ifUnmodifiedSince],
            let seconds = HTTPDate.parse(value, now: Timestamp.now().seconds)
        {
            ifUnmodifiedSince = Timestamp(microseconds: seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
        }
    }
}

extension Call.Services {
    /// Who sends a request; nil without any credential.
    func principal(of request: Request, from peer: Peer) async throws -> Principal? {
        guard let credential = try Credential(request) else { return nil }
        guard let principal = try await authentication.authenticate(credential, from: peer.client) else {
            throw StorageError.unauthenticated
        }
        return principal
    }
}

extension Credential {
    /// The credential that a request presents; nil for none.
    fileprivate init?(_ request: Request) throws {
        switch try AuthorizationHeader(request.headers) {
        case .none: return nil
        case .basic(let login, let password): self = .basic(login: login, password: password)
        case .bearer(let token): self = .bearer(token)
        case .containerToken(let bytes):
            guard let uuid = Identifier<ContainerToken>(bytes: bytes), let token = ContainerToken(uuid) else {
                throw StorageError.unauthenticated
            }
            self = .containerToken(token)
        }
    }
}
