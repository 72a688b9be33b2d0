/// What an operator may do with everybody's account.
extension AccountRegistry {
    /// The account with this login.
    ///
    /// - Throws: ``StorageError/Code/notFound``.
    public func account(login: [UInt8]) async throws -> Account {
        guard let login = Login(presented: login), let record = try await metadata.account(.login(login)) else {
            throw Self.noSuchAccount
        }
        return record.account
    }

    /// Makes an account, whoever may register.
    ///
    /// - Throws: ``StorageError/Code/unprocessable``, ``StorageError/Code/loginTaken``.
    public func add(login: [UInt8], password: [UInt8], role: Account.Role) async throws -> Account {
        let login = try Login(login)
        try passwords.check(password)
        return try await makeAccount(login, password: password, email: nil, role: role)
    }

    /// Replaces the password of an account; all its tokens end.
    ///
    /// - Throws: ``StorageError/Code/unprocessable`` for a password that is not acceptable or an account that has none.
    public func setPassword(_ password: [UInt8], of account: Account) async throws {
        try passwords.check(password)
        guard let hash = try await metadata.account(.id(account.id))?.passwordHash else {
            throw StorageError(.unprocessable, "account: has no password.")
        }
        try await setPassword(try await hasher.hash(password), of: account, replacing: hash, keeping: nil)
    }

    func setPassword(
        _ hash: String, of account: Account, replacing old: String, keeping credential: CredentialID?
    ) async throws {
        let change = try await metadata.settledChange(
            .setPassword(account.id, passwordHash: hash, replacing: old, ending: .all(except: credential)))
        guard change.account != nil else {
            throw StorageError(.unavailable, "The password was changed by somebody else meanwhile.", isTransient: true)
        }
        forget(account.id)
        await audit("password_change", of: account.id)
    }

    /// Switches an account off or on again.
    public func setDisabled(_ isDisabled: Bool, of account: Account) async throws {
        _ = try await metadata.settledChange(.setDisabled(account.id, isDisabled))
        forget(account.id)
        await audit(isDisabled ? "user_disable" : "user_enable", of: account.id)
    }

    /// Sets what an account may store; where nothing is said, the server's default applies.
    public func setLimits(_ limits: ContainerLimits, of account: Account) async throws {
        _ = try await metadata.settledChange(.setLimits(account.id, limits))
        forget(account.id)
        await audit("user_quota", of: account.id)
    }

    /// Deletes an account with all its files.
    public func delete(_ account: Account) async throws {
        try await close(account, act: "user_delete")
    }

    /// Closes an account and removes what it has; what does not get done here the sweeper does.
    func close(_ account: Account, act: String) async throws {
        _ = try await metadata.settledChange(.close(account.id))
        forget(account.id)
        await audit(act, of: account.id)
        for _ in 0..<Self.removals where try await !metadata.tidy(.removeClosedAccounts) { return }
    }

    /// Enough for some ten thousand files; more must not keep a client waiting.
    private static let removals = 64

    // MARK: - Tokens

    /// Hands out a token for an account, for a program of its owner.
    public func issueToken(for account: Account, label: String?) async throws -> IssuedToken {
        try await issueToken(for: account, label: label, act: "token_add")
    }

    /// Makes a container token known: an account of its own, as the first write under it would.
    ///
    /// - Throws: ``StorageError/Code/unprocessable`` for a token that has ended.
    public func add(_ token: ContainerToken) async throws -> Account {
        guard try await !metadata.hasEnded(try token.digest) else {
            throw StorageError(.unprocessable, "token: was revoked, which is for good; take another one.")
        }
        let change = try await metadata.settledChange(
            .openContainer(try token.digest, ownSpace: policy.isolation != .none))
        guard let account = change.account else { throw StorageError(.internal, "The account was not made.") }
        await audit("token_add", of: account.id)
        return account
    }

    /// The credentials of an account that have not ended, in the order of their ids.
    public func credentials(
        of account: AccountID, after: CredentialID?, limit: Int
    ) async throws -> Page<StoredCredential> {
        let found = try await metadata.credentials(of: account, after: after, limit: limit + 1)
        return Page(entries: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    /// Ends a credential of an account; a container's token is dead for good then.
    ///
    /// - Throws: ``StorageError/Code/notFound`` for one that has ended or is another account's.
    public func revoke(_ credential: CredentialID, of account: Account) async throws {
        guard try await end(credential, of: account.id, act: "token_revoke") else {
            throw StorageError(.notFound, "There is no such token.")
        }
    }
}
