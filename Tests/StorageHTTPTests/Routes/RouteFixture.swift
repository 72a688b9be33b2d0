import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

/// How requests get to the routes: straight into them, or through a socket and the connection's own handlers.
enum Transport: CaseIterable, Sendable {
    case router
    case live

    var setup: TestingSetup { self == .router ? .router : .live }
}

/// All routes over stores in memory, with the users `ann` and `bob`.
struct RouteFixture: Sendable {
    /// What a test may want otherwise.
    struct Options: Sendable {
        var files = FileStorage.Policy()
        var accounts = AccountRegistry.Policy()
        var containers = ContainerTokenAuthProvider.Mode.open
        var blobs: any BlobStore = CachedBlobStore(InMemoryBlobStore(), bytes: 1 << 20)
        var anonymousUploads = AnonymousUploads.auto
        var publicURL: String?
        var trustedProxies: [String] = []
        var redirectPrefix: String?
        var crossOrigin = CrossOriginPolicy.none
        var swaggerUI: SwaggerUI?
        var metrics = MetricsRegistry()
        var exposesMetrics = true
    }

    static let password = "correct horse"

    let metadata = InMemoryMetadataStore()
    let storage: FileStorage
    let accounts: AccountRegistry
    let authentication: AuthProviderChain
    let readiness = Readiness()
    private let scratch: TemporaryStore
    private let hasher = PasswordHasher(parameters: ScryptParameters(logN: 4, r: 8, p: 1))
    private let options: Options

    init(_ options: Options) throws {
        let bearer = BearerAuthProvider(metadata: metadata, idle: options.accounts.tokenIdle)
        storage = FileStorage(metadata: metadata, blobs: options.blobs, policy: options.files)
        accounts = AccountRegistry(
            metadata: metadata, hasher: hasher, passwords: PasswordPolicy(), bearer: bearer, policy: options.accounts)
        authentication = AuthProviderChain([
            try BasicAuthProvider(metadata: metadata, hasher: hasher), bearer,
            ContainerTokenAuthProvider(metadata: metadata, mode: options.containers),
        ])
        scratch = try TemporaryStore(isMade: true)
        self.options = options
    }

    func routes<Context: RequestContext>(_: Context.Type = Context.self) -> StorageRoutes<Context> {
        StorageRoutes(
            storage: storage, accounts: accounts, authentication: authentication, readiness: readiness,
            anonymousUploads: options.anonymousUploads, publicURL: options.publicURL,
            trustedProxies: options.trustedProxies.compactMap { IPNetwork($0) },
            redirectPrefix: options.redirectPrefix, crossOrigin: options.crossOrigin, scratchDirectory: scratch.path,
            swaggerUI: options.swaggerUI, metrics: options.metrics,
            exposed: options.exposesMetrics ? options.metrics : nil)
    }

    /// Makes an account, whoever may register.
    func register(_ login: String, role: Account.Role = .user) async throws -> Account {
        let change = AccountChange.register(
            login: try Login(Array(login.utf8)), email: nil,
            passwordHash: try await hasher.hash(Array(Self.password.utf8)),
            role: role, ownSpace: false)
        return try #require(try await metadata.change(change).account)
    }

    func principal(_ login: String) async throws -> Principal {
        let record = try await metadata.account(.login(try Login(Array(login.utf8))))
        return Principal(identity: .account(try #require(record).account))
    }

    /// Runs a test against the daemon's own server.
    static func with(
        _ transport: Transport, _ adjust: (inout Options) -> Void = { _ in },
        _ body: @Sendable (RouteClient) async throws -> Void
    ) async throws {
        var options = Options()
        adjust(&options)
        let fixture = try RouteFixture(options)
        let routes = fixture.routes(StorageRequestContext.self)
        let application = Application(
            responder: routes, server: .storage(recall: routes.recall, metrics: options.metrics), logger: .quiet)
        try await fixture.run(application, transport, body)
    }

    /// Runs a test against an application that has the routes.
    func run(
        _ application: some ApplicationProtocol, _ transport: Transport,
        _ body: @Sendable (RouteClient) async throws -> Void
    ) async throws {
        for login in ["ann", "bob"] { _ = try await register(login) }
        do {
            try await application.test(transport.setup) { try await body(RouteClient(client: $0, fixture: self)) }
        } catch {
            await hasher.shutdown()
            throw error
        }
        await hasher.shutdown()
    }
}

extension Logger {
    /// Says nothing.
    fileprivate static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Sends requests to the routes, one after the other.
struct RouteClient: Sendable {
    let client: any TestClientProtocol
    let fixture: RouteFixture

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestResponse {
        try await client.executeRequest(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }

    @discardableResult
    func sendJSON(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:], _ text: String
    ) async throws -> TestResponse {
        try await send(method, uri, headers.merging([.contentType: "application/json"]), body: text)
    }

    @discardableResult
    func sendForm(_ uri: String, _ headers: HTTPFields = [:], _ parts: [ReadPart]) async throws -> TestResponse {
        let body = String(decoding: MultipartBody.write(parts, boundary: "b"), as: UTF8.self)
        return try await send(
            .post, uri, headers.merging([.contentType: "multipart/form-data; boundary=b"]), body: body)
    }

    /// Stores a file by its whole path.
    @discardableResult
    func put(_ text: String, at path: String, _ headers: HTTPFields = .ann) async throws -> TestResponse {
        try await send(.put, "/api/files/\(PercentEncoding.encodePath(path.utf8))", headers, body: text)
    }

    /// Every path of a principal, in byte order.
    func paths(_ headers: HTTPFields = .ann) async throws -> [String] {
        try await send(.get, "/api/files", headers).decoded([String].self)
    }
}

extension HTTPFields {
    static let ann = basic("ann", RouteFixture.password)
    static let bob = basic("bob", RouteFixture.password)

    static func basic(_ login: String, _ password: String) -> HTTPFields {
        [.authorization: "Basic \(Base64.encode(Array("\(login):\(password)".utf8)))"]
    }

    static func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer \(token)"] }

    static func token(_ uuid: String) -> HTTPFields { [.xAuthToken: uuid] }

    /// A container token that nobody else has.
    static func newToken() -> HTTPFields { token(Identifier<ContainerToken>.random().description) }
}

/// `path` as a value of a query.
func query(_ path: String) -> String {
    PercentEncoding.encodeComponent(path.utf8)
}
