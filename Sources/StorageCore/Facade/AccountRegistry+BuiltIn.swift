import Logging

/// Accounts that are there without anybody having registered.
extension AccountRegistry {
    /// The principal of those who come without credentials, where they may: the built-in account, made when it is first needed.
    ///
    /// - Throws: ``StorageError/Code/unauthenticated`` when an operator has disabled the account.
    public func anonymous() async throws -> Principal {
        let account: Account
        if let existing = try await metadata.account(.login(.public))?.account {
            account = existing
        } else {
            let change = try await metadata.settledChange(.openPublic(ownSpace: policy.isolation == .all))
            guard let made = change.account else { throw StorageError(.internal, "The account was not made.") }
            account = made
        }
        guard account.disabledAt == nil else { throw StorageError.unauthenticated }
        return Principal(identity: .account(account))
    }

    /// Makes an administrator unless there is an account of that login, which is never changed: for the start of a server.
    ///
    /// - Returns: The account of that login.
    /// - Throws: ``StorageError/Code/unprocessable`` for a login or password that nobody could register with.
    @discardableResult
    public func ensureAdmin(login: [UInt8], password: [UInt8]) async throws -> Account {
        let login = try Login(login)
        if let existing = try await existing(login) { return existing }
        try passwords.check(password)
        do {
            let account = try await makeAccount(login, password: password, email: login.description, role: .admin)
            logger.notice("made the administrator", metadata: ["account": "\(account.id)"])
            return account
        } catch let error as StorageError where error.code == .loginTaken {
            // Another server over the same database was a moment faster.
            guard let existing = try await existing(login) else { throw error }
            return existing
        }
    }

    private func existing(_ login: Login) async throws -> Account? {
        guard let account = try await metadata.account(.login(login))?.account else { return nil }
        if account.role != .admin {
            logger.warning("the login meant for the administrator is a user's", metadata: ["account": "\(account.id)"])
        }
        return account
    }
}
