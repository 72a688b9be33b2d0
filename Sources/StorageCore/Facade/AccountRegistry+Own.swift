/// What somebody may do with the own account.
extension AccountRegistry {
    /// Replaces the password of the principal's account; all its tokens end but the one that the principal came with.
    ///
    /// - Throws: ``StorageError/Code/forbidden`` for a wrong password or an account without one,
    ///   ``StorageError/Code/tooManyRequests`` after too many wrong ones,
    ///   ``StorageError/Code/unprocessable`` for a new password that is not acceptable.
    public func changePassword(of principal: Principal, from old: [UInt8], to new: [UInt8]) async throws {
        let (account, hash) = try await proven(principal, by: old)
        try passwords.check(new)
        try await setPassword(try await hasher.hash(new), of: account, replacing: hash, keeping: principal.credential)
    }

    /// The sign-ins of the principal's account, in the order of their ids; a container token is none.
    public func sessions(of principal: Principal, after: CredentialID?, limit: Int) async throws -> Page<
        StoredCredential
    > {
        guard let account = principal.account, account.kind != .token else { return Page(entries: [], hasMore: false) }
        return try await credentials(of: account.id, after: after, limit: limit)
    }

    /// Ends a sign-in of the principal's account.
    ///
    /// - Throws: ``StorageError/Code/notFound`` for one that has ended or is somebody else's.
    public func endSession(_ session: CredentialID, of principal: Principal) async throws {
        // A container token is no sign-in: ended, it would leave its files out of everybody's reach.
        guard let account = principal.account, account.kind != .token,
            try await end(session, of: account.id, act: "session_end")
        else { throw StorageError(.notFound, "There is no such session.") }
    }

    /// Deletes the principal's account with all its files.
    ///
    /// - Throws: ``StorageError/Code/forbidden`` for a wrong password or an account without one,
    ///   ``StorageError/Code/tooManyRequests`` after too many wrong ones.
    public func delete(_ principal: Principal, password: [UInt8]) async throws {
        let (account, _) = try await proven(principal, by: password)
        try await close(account, act: "account_delete")
    }

    /// The account of somebody who proves again that it is theirs.
    private func proven(_ principal: Principal, by password: [UInt8]) async throws -> (Account, hash: String) {
        guard let account = principal.account, let record = try await metadata.account(.id(account.id)),
            let hash = record.passwordHash
        else { throw StorageError(.forbidden, "This account has no password.") }
        guard password.count <= PasswordHasher.maximumBytes,
            try await isRight(password, hash, login: account.login?.bytes ?? [])
        else {
            throw StorageError(.forbidden, "password: is not the account's password.")
        }
        return (record.account, hash)
    }

    private func isRight(_ password: [UInt8], _ hash: String, login: [UInt8]) async throws -> Bool {
        guard let limiter else { return try await hasher.verify(password, against: hash).isValid }
        return try await limiter.trying(login, from: client) {
            try await hasher.verify(password, against: hash).isValid
        }
    }
}
