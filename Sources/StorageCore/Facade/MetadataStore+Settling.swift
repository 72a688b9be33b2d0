/// Changes of accounts whose answer may get lost.
extension MetadataStore {
    /// Makes a change, and finds out what happened when the answer was lost.
    ///
    /// - Throws: ``StorageError/Code/outcomeUnknown`` when the database does not answer again and again.
    func settledChange(_ change: AccountChange) async throws -> AccountChangeResult {
        for _ in 0..<2 {
            do {
                return try await self.change(change)
            } catch let error as StorageError where error.code == .outcomeUnknown {
                if let result = try await effect(of: change) { return result }
            }
        }
        return try await self.change(change)
    }

    /// What a change has left behind; nil when it is not there, or when the change does the same however often it is made.
    private func effect(of change: AccountChange) async throws -> AccountChangeResult? {
        switch change {
        case .register(let login, _, let passwordHash, _, _):
            // The hash has a salt of its own: nobody else's change made the same.
            let record = try await account(.login(login))
            return record?.passwordHash == passwordHash ? AccountChangeResult(account: record?.account) : nil
        case .setPassword(let account, let passwordHash, _, _):
            let record = try await self.account(.id(account))
            return record?.passwordHash == passwordHash ? AccountChangeResult(account: record?.account) : nil
        case .addCredential(_, let digest, _, _, _, _):
            return try await account(.credential(digest)).map {
                AccountChangeResult(account: $0.account, credential: $0.credential?.id)
            }
        case .revokeCredential(let account, let credential):
            let record = try await self.account(.id(account))
            let isThere = try await hasCredential(credential, of: account)
            return isThere ? nil : AccountChangeResult(account: record?.account, credential: credential)
        case .openContainer, .touchCredential, .revokeCredentials, .setDisabled, .setLimits, .close, .openPublic:
            return nil
        }
    }

    private func hasCredential(_ wanted: CredentialID, of account: AccountID) async throws -> Bool {
        var last: CredentialID?
        while true {
            let page = try await credentials(of: account, after: last, limit: 1_000)
            if page.contains(where: { $0.id == wanted }) { return true }
            guard page.count == 1_000 else { return false }
            last = page.last?.id
        }
    }
}
