import Logging

/// Registering, signing in and out: the rules of accounts, above any metadata store and any provider.
public struct AccountRegistry: Sendable {
    /// Who may register, and how long a sign-in lasts.
    public struct Policy: Sendable {
        /// Who may make accounts.
        public enum Registration: String, Sendable, CaseIterable {
            /// Everybody.
            case open
            /// Administrators.
            case admin
            /// Nobody, but for the operator's commands.
            case off
        }

        /// Who may make accounts.
        public var registration = Registration.open
        /// How long a token lasts at most.
        public var tokenLifetime = Duration.seconds(30 * 86_400)
        /// How long a token lasts without being used.
        public var tokenIdle = Duration.seconds(7 * 86_400)
        /// Which containers have a space of their own.
        public var isolation = FileStorage.Policy.Isolation.tokens

        /// The defaults.
        public init() {}
    }

    /// A token as it is handed out: the only time that its text is known.
    public struct IssuedToken: Sendable {
        /// What the client sends as `Authorization: Bearer`.
        public let text: String
        /// Seconds until it ends at the latest.
        public let lifetime: Int64
    }

    let metadata: any MetadataStore
    let hasher: PasswordHasher
    let passwords: PasswordPolicy
    private let bearer: BearerAuthProvider?
    private let containers: ContainerTokenAuthProvider?
    let limiter: RateLimiter?
    let logger = Logger(label: "storage.accounts")
    /// Who may register, and how long a sign-in lasts.
    public let policy: Policy
    /// Where the requests come from that this value serves; for the records of acts.
    private var address: String?
    /// Whose tries are counted; nil where nobody's are.
    private(set) var client: ClientAddress?

    /// Makes a registry over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Keeps the accounts.
    ///   - hasher: Hashes and checks passwords.
    ///   - passwords: Which passwords may be chosen.
    ///   - bearer: The provider whose memory is to forget a token as soon as it ends.
    ///   - containers: The same for container tokens.
    ///   - limiter: Counts wrong passwords and registrations; nil for as many as one likes.
    ///   - policy: Who may register, and how long a sign-in lasts.
    public init(
        metadata: any MetadataStore, hasher: PasswordHasher, passwords: PasswordPolicy,
        bearer: BearerAuthProvider? = nil, containers: ContainerTokenAuthProvider? = nil,
        limiter: RateLimiter? = nil, policy: Policy = Policy()
    ) {
        self.containers = containers
        self.limiter = limiter
        self.metadata = metadata
        self.hasher = hasher
        self.passwords = passwords
        self.bearer = bearer
        self.policy = policy
    }

    /// The same registry for requests from one address, which the records of their acts name.
    ///
    /// - Parameters:
    ///   - address: Where they come from, for the records.
    ///   - client: Whose wrong passwords and registrations are counted; nil for nobody's.
    public func asked(from address: String?, counting client: ClientAddress? = nil) -> AccountRegistry {
        var registry = self
        registry.address = address
        registry.client = client
        return registry
    }

    /// Makes an account with login and password.
    ///
    /// - Parameters:
    ///   - login: 1 to 255 bytes of UTF-8 without a colon.
    ///   - password: What ``PasswordPolicy`` accepts.
    ///   - email: At most 255 bytes without control characters. Kept as it is; nobody writes to it.
    ///   - principal: Who asks; nil for somebody who is not signed in.
    /// - Throws: ``StorageError/Code/forbidden``, ``StorageError/Code/unprocessable``, ``StorageError/Code/loginTaken``,
    ///   ``StorageError/Code/tooManyRequests``.
    public func register(
        login: [UInt8], password: [UInt8], email: String?, as principal: Principal?
    ) async throws -> Account {
        let mayRegister =
            switch policy.registration {
            case .open: true
            case .admin: principal?.account?.role == .admin
            case .off: false
            }
        guard mayRegister else { throw StorageError(.forbidden, "Registration is closed.") }
        let login = try Login(login)
        try passwords.check(password)
        guard email?.utf8.count ?? 0 <= 255, email?.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) ?? true else {
            throw StorageError(.unprocessable, "email: must be at most 255 bytes without control characters.")
        }
        // Administrators make as many as they like.
        guard let limiter, policy.registration == .open else {
            return try await makeAccount(ifFree: login, password: password, email: email)
        }
        return try await limiter.registering(from: client) {
            try await makeAccount(ifFree: login, password: password, email: email)
        }
    }

    private func makeAccount(ifFree login: Login, password: [UInt8], email: String?) async throws -> Account {
        guard try await metadata.account(.login(login)) == nil else {
            throw StorageError(.loginTaken, "login: is taken; choose another one.")
        }
        return try await makeAccount(login, password: password, email: email, role: .user)
    }

    /// Makes an account of a login and password that were checked.
    func makeAccount(
        _ login: Login, password: [UInt8], email: String?, role: Account.Role
    ) async throws -> Account {
        let hash = try await hasher.hash(password)
        let change = try await metadata.settledChange(
            .register(login: login, email: email, passwordHash: hash, role: role, ownSpace: policy.isolation == .all))
        guard let account = change.account else { throw StorageError(.internal, "The account was not made.") }
        await audit("register", of: account.id)
        return account
    }

    /// Hands out a token to somebody who has just proved who they are.
    public func issueToken(to principal: Principal) async throws -> IssuedToken {
        guard let account = principal.account else { throw StorageError.unauthenticated }
        return try await issueToken(for: account, label: nil, act: "sign_in")
    }

    func issueToken(for account: Account, label: String?, act: String) async throws -> IssuedToken {
        let token = try AccessToken()
        let change = try await metadata.settledChange(
            .addCredential(
                account.id, try token.digest, kind: .session, label: label,
                lifetime: policy.tokenLifetime.wholeMicroseconds,
                idle: policy.tokenIdle.wholeMicroseconds))
        guard change.credential != nil else { throw Self.noSuchAccount }
        await audit(act, of: account.id, subject: label)
        return IssuedToken(text: token.text, lifetime: policy.tokenLifetime.components.seconds)
    }

    /// Ends the token that the principal signed in with.
    ///
    /// A container token is no sign-in: ended, it would leave its files out of everybody's reach.
    ///
    /// - Throws: ``StorageError/Code/unauthenticated`` for somebody who came without a token.
    public func endToken(of principal: Principal) async throws {
        guard let account = principal.account, account.kind != .token, let credential = principal.credential else {
            throw StorageError.unauthenticated
        }
        try await end(credential, of: account.id, act: "sign_out")
    }

    /// Ends a credential; false when there was none to end.
    @discardableResult
    func end(_ credential: CredentialID, of account: AccountID, act: String) async throws -> Bool {
        let ended = try await metadata.settledChange(.revokeCredential(account, credential)).credential != nil
        bearer?.forget(credential)
        containers?.forget(credential)
        if ended { await audit(act, of: account, subject: credential.description) }
        return ended
    }

    /// Ends what this process remembers of an account.
    func forget(_ account: AccountID) {
        bearer?.forget(account)
        containers?.forget(account)
    }

    /// Records an act that has taken effect: a failure of the record must not make it look undone.
    func audit(_ act: String, of account: AccountID, subject: String? = nil) async {
        do {
            try await metadata.audit(AuditEntry(account: account, act: act, subject: subject, address: address))
        } catch {
            logger.error("an act was not recorded", metadata: ["act": "\(act)", "error": "\(error)"])
        }
    }

    static let noSuchAccount = StorageError(.notFound, "There is no such account.")
}
