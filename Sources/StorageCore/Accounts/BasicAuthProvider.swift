/// Checks login and password (RFC 7617) against the accounts of a metadata store.
///
/// The account is read for every request, so that a changed password or a disabled account ends at once and everywhere; only the
/// scrypt of a password that was right before is spared. An unknown login, a disabled account and a wrong password cost the same
/// and get the same answer.
public struct BasicAuthProvider: AuthProvider {
    private let metadata: any MetadataStore
    private let hasher: PasswordHasher
    private let verified: VerifiedPasswords
    private let limiter: RateLimiter?

    /// Makes a provider over a metadata store.
    ///
    /// - Parameters:
    ///   - metadata: Knows the accounts.
    ///   - hasher: Checks passwords.
    ///   - limiter: Counts wrong passwords; nil for as many as one likes.
    ///   - remembered: How many right passwords are remembered, as an HMAC under a key of this process.
    /// - Throws: ``StorageError/Code/internal`` when no random key can be had.
    public init(
        metadata: any MetadataStore, hasher: PasswordHasher, limiter: RateLimiter? = nil, remembered: Int = 1_024
    ) throws {
        self.limiter = limiter
        self.metadata = metadata
        self.hasher = hasher
        verified = try VerifiedPasswords(capacity: remembered)
    }

    /// The account of the login when the password is its own.
    public func authenticate(_ credential: Credential) async throws -> Principal? {
        try await authenticate(credential, from: nil)
    }

    /// The account of the login when the password is its own; where too many wrong ones came from, none is looked at.
    public func authenticate(_ credential: Credential, from client: ClientAddress?) async throws -> Principal? {
        guard case .basic(let login, let password) = credential else { return nil }
        return try await AuthFailure.translating {
            guard password.count <= PasswordHasher.maximumBytes else { throw StorageError.unauthenticated }
            try limiter?.admit(login, from: client)
            let record = try await account(login)
            guard let record, let hash = record.passwordHash, record.account.disabledAt == nil else {
                _ = try await verified.check(password, against: Self.standIn(for: login)) {
                    try await trying(login, from: client) { try await hasher.verify(password, against: nil).isValid }
                }
                throw StorageError.unauthenticated
            }
            let isValid = try await verified.check(password, against: hash) {
                try await trying(login, from: client) {
                    let verification = try await hasher.verify(password, against: hash)
                    if verification.needsRehash { await rehash(password, of: record.account, replacing: hash) }
                    return verification.isValid
                }
            }
            guard isValid else { throw StorageError.unauthenticated }
            return Principal(identity: .account(record.account))
        }
    }

    /// What stands for the hash of a login that has none, so that equal passwords for it are joined as they are for one that has: no
    /// hash begins like it.
    private static func standIn(for login: [UInt8]) -> String {
        "?\(Hexadecimal.encode(login))"
    }

    private func trying(
        _ login: [UInt8], from client: ClientAddress?, _ check: () async throws -> Bool
    ) async throws -> Bool {
        guard let limiter else { return try await check() }
        return try await limiter.trying(login, from: client, check)
    }

    private func account(_ login: [UInt8]) async throws -> AccountRecord? {
        guard let login = Login(presented: login) else { return nil }
        return try await metadata.account(.login(login))
    }

    /// Brings a hash to the costs in force. A sign-in does not fail with it: the next one tries again.
    private func rehash(_ password: [UInt8], of account: Account, replacing old: String) async {
        do {
            let hash = try await hasher.hash(password)
            // Somebody may have changed the password meanwhile; theirs must not be undone.
            _ = try await metadata.change(.setPassword(account.id, passwordHash: hash, replacing: old))
        } catch {
            return
        }
    }
}

/// What a provider says when it could not tell.
enum AuthFailure {
    private static let passed: Set<StorageError.Code> = [.unauthenticated, .unavailable, .tooManyRequests]

    /// Lets refusals and cancellation through and makes every other failure one of the server, never of the client.
    static func translating<Success>(_ body: () async throws -> Success) async throws -> Success {
        do {
            return try await body()
        } catch let error as StorageError where passed.contains(error.code) {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw StorageError(
                .unavailable, "The credentials cannot be checked now. Try again a little later.", isTransient: true,
                cause: error)
        }
    }
}
