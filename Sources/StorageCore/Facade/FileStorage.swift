import Logging

/// A store of files: what embedding services and the routes call.
///
/// Holds everything that must exist once, whatever the stores behind it: limits, names, preconditions, and the order of writes that
/// makes an answered upload safe.
public struct FileStorage: Sendable {
    /// What is decided once for a whole store.
    public struct Policy: Sendable {
        /// Which containers have a blob space of their own.
        public enum Isolation: String, Sendable, CaseIterable {
            /// Those of token accounts; registered users share one.
            case tokens
            /// Every container.
            case all
            /// None: equal bytes are stored once in the whole store.
            case none
        }

        /// When stored bytes are compared with their digest on the way out.
        public enum Verification: String, Sendable, CaseIterable {
            /// When a whole blob passes through memory anyway.
            case streamed
            /// Always when a whole blob is read, at the price of `sendfile`.
            case always
        }

        /// The largest file, in bytes.
        public var uploadSize: Int64 = 5 << 40
        /// How many revisions are kept beside the current one; token containers keep none.
        public var keepRevisions = 5
        /// What the container of a registered account may hold, where nothing is said for it.
        public var limits = ContainerLimits.none
        /// What the container of a token may hold, where nothing is said for it.
        public var tokenLimits = ContainerLimits.none
        /// Which containers have a space of their own.
        public var isolation = Isolation.tokens
        /// When stored bytes are compared with their digest.
        public var verification = Verification.streamed

        /// The defaults.
        public init() {}
    }

    /// Knows which files there are.
    public let metadata: any MetadataStore
    /// Keeps their bytes.
    public let blobs: any BlobStore
    /// What is decided once.
    public let policy: Policy

    let logger: Logger
    let remembered = RememberedBlobs()
    let walks = ContainerWalks()
    /// How often the database is told that an upload is alive; the sweeper gives one up that is silent for two minutes.
    var heartbeat = Duration.seconds(60)

    /// Unites a metadata store and the blob store that belongs to it.
    public init(metadata: any MetadataStore, blobs: any BlobStore, policy: Policy = Policy()) {
        self.metadata = metadata
        self.blobs = blobs
        self.policy = policy
        logger = Logger(label: "storage.files")
    }

    /// The principal's container; nil as long as nothing was written under its token.
    public func container(of principal: Principal) -> Container? {
        principal.account?.container
    }

    /// The principal's container, made with its account by the first write under a token.
    func openContainer(for principal: Principal) async throws -> Container {
        switch principal.identity {
        case .account(let account):
            return account.container
        case .newContainer(let digest):
            let ownSpace = policy.isolation != .none
            let change = try await metadata.settledChange(.openContainer(digest, ownSpace: ownSpace))
            guard let account = change.account else { throw StorageError.unauthenticated }
            return account.container
        }
    }

    func keepRevisions(in container: Container) -> Int {
        container.keepsRevisions ? policy.keepRevisions : 0
    }

    /// What holds for a container that has no limits of its own.
    func defaultLimits(of principal: Principal) -> ContainerLimits {
        principal.account.map { $0.kind != .token } ?? false ? policy.limits : policy.tokenLimits
    }
}
