/// Accounts and their credentials.
extension MemoryTables {
    func account(_ selector: AccountSelector) -> AccountRecord? {
        switch selector {
        case .id(let id): open(id).map { record($0, by: nil) }
        case .login(let login): logins[login].map { record(accounts[$0], by: nil) }
        case .credential(let digest): credential(digest)
        }
    }

    private func credential(_ digest: TokenDigest) -> AccountRecord? {
        guard let row = credentialIndex[digest].flatMap({ credentials[$0] }), !hasEnded(row),
            let account = open(row.account)
        else { return nil }
        return record(account, by: row)
    }

    func hasEnded(_ digest: TokenDigest) -> Bool {
        guard let row = credentialIndex[digest].flatMap({ credentials[$0] }) else { return false }
        return hasEnded(row) || open(row.account) == nil
    }

    /// The row of an account that is not closed.
    private func open(_ id: AccountID) -> AccountRow? {
        accountIndex[id].map { accounts[$0] }.flatMap { $0.isClosed ? nil : $0 }
    }

    private func record(_ row: AccountRow, by credential: CredentialRow?) -> AccountRecord {
        AccountRecord(
            account: row.account, passwordHash: row.passwordHash, credential: credential.map(stored), readAt: now)
    }

    private func stored(_ row: CredentialRow) -> StoredCredential {
        StoredCredential(
            id: row.id, kind: row.kind, label: row.label, createdAt: row.createdAt, lastUsedAt: row.lastUsedAt,
            expiresAt: row.expiresAt, idleUntil: row.idleUntil)
    }

    func credentials(of account: AccountID, after: CredentialID?, limit: Int) -> [StoredCredential] {
        let rows = credentials.values.filter { row in
            row.account == account && !hasEnded(row) && after.map { $0 < row.id } ?? true
        }
        return rows.sorted { $0.id < $1.id }.prefix(max(limit, 0)).map(stored)
    }

    /// Whether a credential is revoked, expired or was idle for too long.
    func hasEnded(_ row: CredentialRow) -> Bool {
        if row.revokedAt != nil { return true }
        if let expiresAt = row.expiresAt, expiresAt <= now { return true }
        if let idleUntil = row.idleUntil, idleUntil <= now { return true }
        return false
    }

    func accounts(after serial: Int64, limit: Int) -> [Account] {
        let start = Int(min(max(serial, 0), Int64(accounts.count)))
        return accounts[start...].lazy.filter { !$0.isClosed }.prefix(max(limit, 0)).map(\.account)
    }

    mutating func change(_ change: AccountChange) throws -> AccountChangeResult {
        switch change {
        case .register(let login, let email, let passwordHash, let role, let ownSpace):
            guard logins[login] == nil else { throw StorageError(.loginTaken, "login: is in use already.") }
            let row = add(
                .registered, role: role, login: login, passwordHash: passwordHash, email: email, ownSpace: ownSpace)
            return AccountChangeResult(account: row.account)
        case .openContainer(let digest, let ownSpace):
            return try openContainer(digest, ownSpace: ownSpace)
        case .addCredential(let account, let digest, let kind, let label, let lifetime, let idle):
            return try addCredential(
                account, digest, kind: kind, label: label, lifetime: lifetime, idle: idle)
        case .touchCredential(let id, let idle):
            return touchCredential(id, idle: idle)
        case .revokeCredential(let account, let id):
            let ended = credentials[id].map { $0.account == account && $0.revokedAt == nil } ?? false
            revokeCredentials(of: account) { $0 == id }
            return AccountChangeResult(account: open(account)?.account, credential: ended ? id : nil)
        case .revokeCredentials(let account, let kept):
            revokeCredentials(of: account) { $0 != kept }
            return result(account)
        case .setPassword(let account, let passwordHash, let replaced, let ended):
            guard let index = accountIndex[account], let hash = accounts[index].passwordHash,
                replaced == nil || hash == replaced
            else { return AccountChangeResult(account: nil) }
            accounts[index].passwordHash = passwordHash
            if case .all(let kept) = ended { revokeCredentials(of: account) { $0 != kept } }
            return result(account)
        case .setDisabled(let account, let isDisabled):
            if let index = accountIndex[account] { replace(index, disabledAt: isDisabled ? now : nil) }
            return result(account)
        case .setLimits(let account, let limits):
            if let index = accountIndex[account] { setLimits(index, limits) }
            return result(account)
        case .close(let account):
            let last = result(account)
            close(account)
            return last
        case .openPublic(let ownSpace):
            return openPublic(ownSpace: ownSpace)
        }
    }

    private func result(_ id: AccountID) -> AccountChangeResult {
        AccountChangeResult(account: open(id)?.account)
    }

    /// Adds an account with its container; one of a token keeps no older revisions.
    private mutating func add(
        _ kind: Account.Kind, role: Account.Role, login: Login?, passwordHash: String?, email: String?, ownSpace: Bool
    ) -> AccountRow {
        let id = ContainerID()
        let container = Container(
            id: id, space: ownSpace ? Space(id: id) : .shared, keepsRevisions: kind != .token)
        let account = Account(
            id: AccountID(), serial: Int64(accounts.count) + 1, kind: kind, role: role, login: login, createdAt: now,
            disabledAt: nil, container: container)
        let row = AccountRow(account: account, passwordHash: passwordHash, email: email)
        accountIndex[account.id] = accounts.count
        if let login { logins[login] = accounts.count }
        accounts.append(row)
        containers[id] = ContainerRow(account: account.id)
        return row
    }

    private mutating func openPublic(ownSpace: Bool) -> AccountChangeResult {
        if let index = logins[.public] { return AccountChangeResult(account: accounts[index].account) }
        let row = add(.builtIn, role: .user, login: .public, passwordHash: nil, email: nil, ownSpace: ownSpace)
        return AccountChangeResult(account: row.account)
    }

    /// A token that was revoked stays dead: it must open neither the old container nor a new one.
    private mutating func openContainer(_ digest: TokenDigest, ownSpace: Bool) throws -> AccountChangeResult {
        if let row = credentialIndex[digest].flatMap({ credentials[$0] }) {
            guard row.kind == .container, !hasEnded(row) else { throw StorageError.unauthenticated }
            return AccountChangeResult(account: open(row.account)?.account, credential: row.id)
        }
        let row = add(.token, role: .user, login: nil, passwordHash: nil, email: nil, ownSpace: ownSpace)
        return try addCredential(row.account.id, digest, kind: .container, label: nil, lifetime: nil, idle: nil)
    }

    private mutating func addCredential(
        _ account: AccountID, _ digest: TokenDigest, kind: StoredCredential.Kind, label: String?, lifetime: Int64?,
        idle: Int64?
    ) throws -> AccountChangeResult {
        guard let open = open(account) else { return AccountChangeResult(account: nil) }
        guard credentialIndex[digest] == nil else { throw StorageError(.internal, "The credential exists already.") }
        let row = CredentialRow(
            id: CredentialID(), digest: digest, account: account, kind: kind, label: label, createdAt: now,
            expiresAt: lifetime.map { now.adding($0) }, lastUsedAt: nil, idleUntil: idle.map { now.adding($0) })
        credentials[row.id] = row
        credentialIndex[digest] = row.id
        return AccountChangeResult(account: open.account, credential: row.id)
    }

    /// Use does not bring an ended credential back.
    private mutating func touchCredential(_ id: CredentialID, idle: Int64?) -> AccountChangeResult {
        guard let row = credentials[id], !hasEnded(row) else { return AccountChangeResult(account: nil) }
        credentials[id]?.lastUsedAt = now
        credentials[id]?.idleUntil = idle.map { now.adding($0) }
        return AccountChangeResult(account: open(row.account)?.account, credential: id)
    }

    private mutating func revokeCredentials(of account: AccountID, where isMeant: (CredentialID) -> Bool) {
        for row in credentials.values where row.account == account && isMeant(row.id) && row.revokedAt == nil {
            credentials[row.id]?.revokedAt = now
        }
    }

    private mutating func replace(_ index: Int, disabledAt: Timestamp?, limits: ContainerLimits? = nil) {
        let old = accounts[index].account
        let container = Container(
            id: old.container.id, space: old.container.space, keepsRevisions: old.container.keepsRevisions,
            limits: limits ?? old.container.limits)
        accounts[index].account = Account(
            id: old.id, serial: old.serial, kind: old.kind, role: old.role, login: old.login, createdAt: old.createdAt,
            disabledAt: disabledAt, container: container)
    }

    private mutating func setLimits(_ index: Int, _ limits: ContainerLimits) {
        let account = accounts[index].account
        replace(index, disabledAt: account.disabledAt, limits: limits)
        containers[account.container.id]?.usage.limitBytes = limits.bytes
        containers[account.container.id]?.usage.limitFiles = limits.files
    }

    private mutating func close(_ id: AccountID) {
        guard let index = accountIndex[id] else { return }
        accounts[index].isClosed = true
        if let login = accounts[index].account.login, logins[login] == index { logins[login] = nil }
        containers[accounts[index].account.container.id]?.isClosed = true
        revokeCredentials(of: id) { _ in true }
    }

    /// Removes everything that closed accounts still have; their rows stay, so that serials still count from 1.
    mutating func removeClosedAccounts() {
        for (id, container) in containers where container.isClosed {
            for path in container.entries.keys.reversed() {
                if let row = row(at: path, in: id) { remove(row) }
            }
            uploads = uploads.filter { $0.value.container != id }
            containers[id] = nil
            for row in credentials.values where row.account == container.account && row.kind == .session {
                credentials[row.id] = nil
                credentialIndex[row.digest] = nil
            }
        }
    }
}
