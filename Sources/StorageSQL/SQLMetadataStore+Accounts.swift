public import StorageCore

/// Accounts, credentials and the record of what was done with them.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/account(_:)``.
    public func account(_ selector: AccountSelector) async throws -> AccountRecord? {
        try await read { try $0.account(selector) }
    }

    /// See ``/StorageCore/MetadataStore/hasEnded(_:)``.
    public func hasEnded(_ digest: TokenDigest) async throws -> Bool {
        try await read { transaction in
            try transaction.session.exists(
                """
                SELECT 1 FROM credentials k WHERE k.digest = $1 AND (NOT (\(transaction.isValid)) OR NOT EXISTS \
                (SELECT 1 FROM containers c WHERE c.account_id = k.account_id AND c.closed_at IS NULL))
                """, [.bytes(digest.bytes)])
        }
    }

    /// See ``/StorageCore/MetadataStore/accounts(after:limit:)``.
    public func accounts(after serial: Int64, limit: Int) async throws -> [Account] {
        try await read { transaction in
            try transaction.session.query(
                """
                SELECT \(SQLTransaction.accountColumns) FROM accounts a JOIN containers c ON c.account_id = a.id \
                WHERE a.serial > $1 AND c.closed_at IS NULL ORDER BY a.serial LIMIT $2
                """, [.integer(serial), .integer(Int64(limit))]
            ).map { try transaction.account($0) }
        }
    }

    /// See ``/StorageCore/MetadataStore/credentials(of:after:limit:)``.
    public func credentials(
        of account: AccountID, after: CredentialID?, limit: Int
    ) async throws -> [StoredCredential] {
        try await read { transaction in
            try transaction.session.query(
                """
                SELECT id, kind, created_at, last_used_at, expires_at, label, idle_until FROM credentials \
                WHERE account_id = $1 AND id > $2 AND \(transaction.isValid) ORDER BY id LIMIT $3
                """, [.id(account), .id(after ?? CredentialID(high: 0, low: 0)), .integer(Int64(limit))]
            ).map { try transaction.credential($0, from: 0) }
        }
    }

    /// See ``/StorageCore/MetadataStore/change(_:)``.
    public func change(_ change: AccountChange) async throws -> AccountChangeResult {
        try await write { try $0.perform(change) }
    }

    /// See ``/StorageCore/MetadataStore/audit(_:)``.
    public func audit(_ entry: AuditEntry) async throws {
        let id = Identifier<AuditEntry>()
        try await writeRepeatably { transaction in
            _ = try transaction.session.execute(
                """
                INSERT INTO audit (id, account_id, act, subject, address, at) \
                VALUES ($1, $2, $3, $4, $5, \(transaction.dialect.now)) ON CONFLICT DO NOTHING
                """,
                [
                    .id(id), .optionalID(entry.account), .text(entry.act),
                    .optionalText(entry.subject), .optionalText(entry.address),
                ])
        }
    }

    /// See ``/StorageCore/MetadataStore/setting(_:default:)``.
    public func setting(_ name: String, default value: String?) async throws -> String? {
        let stored = try await read { transaction in
            try transaction.session.first("SELECT value FROM settings WHERE key = $1", [.text(name)])?.text(0)
        }
        guard stored == nil, let value else { return stored }
        return try await writeRepeatably { transaction in
            try transaction.session.execute(
                "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", [.text(name), .text(value)])
            return try transaction.session.first("SELECT value FROM settings WHERE key = $1", [.text(name)])?.text(0)
        }
    }
}

extension SQLTransaction {
    /// The columns that ``account(_:)-(SQLRow)`` reads, of `accounts a` and `containers c`.
    fileprivate static let accountColumns =
        "a.id, a.serial, a.kind, a.role, a.login, a.created_at, a.disabled_at, c.id, c.space, c.limit_bytes, c.limit_files"

    fileprivate func account(_ row: SQLRow) throws -> Account {
        let kind: Account.Kind = try row.word(2)
        return Account(
            id: try row.id(0), serial: try row.integer(1), kind: kind, role: try row.word(3),
            login: try row.optionalBytes(4).map(Login.init(stored:)), createdAt: try row.time(5),
            disabledAt: try row.optionalTime(6),
            container: Container(
                id: try row.id(7), space: Space(id: try row.id(8)), keepsRevisions: kind != .token,
                limits: ContainerLimits(bytes: try row.optionalInteger(9), files: try row.optionalInteger(10))))
    }

    /// A credential of seven columns: id, kind, three times, the label and the end of the idle time.
    fileprivate func credential(_ row: SQLRow, from first: Int) throws -> StoredCredential {
        StoredCredential(
            id: try row.id(first), kind: try row.word(first + 1), label: try row.optionalText(first + 5),
            createdAt: try row.time(first + 2), lastUsedAt: try row.optionalTime(first + 3),
            expiresAt: try row.optionalTime(first + 4), idleUntil: try row.optionalTime(first + 6))
    }

    fileprivate func account(_ selector: AccountSelector) throws -> AccountRecord? {
        switch selector {
        case .id(let id): try accountRecord("a.id = $1", .id(id))
        case .login(let login): try accountRecord("a.login = $1", .bytes(login.bytes))
        case .credential(let digest): try accountRecord(of: digest)
        }
    }

    private func accountRecord(_ condition: String, _ argument: SQLValue) throws -> AccountRecord? {
        try session.first(
            """
            SELECT \(Self.accountColumns), a.password_phc, \(dialect.now) \
            FROM accounts a JOIN containers c ON c.account_id = a.id AND c.closed_at IS NULL WHERE \(condition)
            """, [argument]
        ).map {
            AccountRecord(
                account: try account($0), passwordHash: try $0.optionalText(11), credential: nil,
                readAt: try $0.time(12)
            )
        }
    }

    /// Of a row of `credentials`: neither revoked nor expired nor idle for too long.
    fileprivate var isValid: String {
        """
        revoked_at IS NULL AND (expires_at IS NULL OR expires_at > \(dialect.now)) \
        AND (idle_until IS NULL OR idle_until > \(dialect.now))
        """
    }

    private func accountRecord(of digest: TokenDigest) throws -> AccountRecord? {
        try session.first(
            """
            SELECT \(Self.accountColumns), a.password_phc, \(dialect.now), \
            k.id, k.kind, k.created_at, k.last_used_at, k.expires_at, k.label, k.idle_until \
            FROM credentials k JOIN accounts a ON a.id = k.account_id \
            JOIN containers c ON c.account_id = a.id AND c.closed_at IS NULL WHERE k.digest = $1 AND \(isValid)
            """, [.bytes(digest.bytes)]
        ).map { row in
            AccountRecord(
                account: try account(row), passwordHash: try row.optionalText(11),
                credential: try credential(row, from: 13), readAt: try row.time(12))
        }
    }
}

extension SQLTransaction {
    fileprivate func perform(_ change: AccountChange) throws -> AccountChangeResult {
        switch change {
        case .register(let login, let email, let passwordHash, let role, let ownSpace):
            return try register(login, email: email, passwordHash: passwordHash, role: role, ownSpace: ownSpace)
        case .openContainer(let digest, let ownSpace):
            return try openContainer(of: digest, ownSpace: ownSpace)
        case .addCredential(let account, let digest, let kind, let label, let lifetime, let idle):
            guard try self.account(.id(account)) != nil else { return AccountChangeResult(account: nil) }
            let credential = try insertCredential(
                digest, of: account, kind: kind, label: label, lifetime: lifetime, idle: idle)
            return try result(account, credential)
        case .touchCredential(let credential, let idle):
            let touched = try session.first(
                """
                UPDATE credentials SET last_used_at = \(dialect.now), idle_until = \(dialect.now) + $1 \
                WHERE id = $2 AND \(isValid) RETURNING account_id
                """, [.optionalInteger(idle), .id(credential)])
            return try touched.map { try result(try $0.id(0), credential) } ?? AccountChangeResult(account: nil)
        case .revokeCredential(let account, let credential):
            let ended = try session.execute(
                """
                UPDATE credentials SET revoked_at = \(dialect.now) \
                WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL
                """, [.id(credential), .id(account)])
            return try result(account, ended > 0 ? credential : nil)
        case .revokeCredentials(let account, let kept):
            try revokeCredentials(of: account, except: kept)
            return try result(account)
        case .setPassword(let account, let passwordHash, let replaced, let ended):
            let changed = try session.execute(
                "UPDATE accounts SET password_phc = $1 WHERE id = $2 AND password_phc = COALESCE($3, password_phc)",
                [.text(passwordHash), .id(account), .optionalText(replaced)])
            guard changed > 0 else { return AccountChangeResult(account: nil) }
            if case .all(let kept) = ended { try revokeCredentials(of: account, except: kept) }
            return try result(account)
        case .setDisabled(let account, let isDisabled):
            try session.execute(
                "UPDATE accounts SET disabled_at = \(isDisabled ? dialect.now : "NULL") WHERE id = $1", [.id(account)])
            return try result(account)
        case .setLimits(let account, let limits):
            try setLimits(limits, of: account)
            return try result(account)
        case .close(let account):
            let last = try result(account)
            try close(account)
            return last
        case .openPublic(let ownSpace):
            return try openPublic(ownSpace: ownSpace)
        }
    }

    private func revokeCredentials(of account: AccountID, except kept: CredentialID?) throws {
        try session.execute(
            """
            UPDATE credentials SET revoked_at = \(dialect.now) \
            WHERE account_id = $1 AND id <> $2 AND revoked_at IS NULL
            """, [.id(account), .id(kept ?? CredentialID(high: 0, low: 0))])
    }

    private func result(_ id: AccountID, _ credential: CredentialID? = nil) throws -> AccountChangeResult {
        AccountChangeResult(account: try account(.id(id))?.account, credential: credential)
    }

    private func register(
        _ login: Login, email: String?, passwordHash: String, role: Account.Role, ownSpace: Bool
    ) throws -> AccountChangeResult {
        guard try account(.login(login)) == nil else {
            throw StorageError(.loginTaken, "login: is taken; choose another one.")
        }
        return try result(
            try insertAccount(
                .registered, login: login, email: email, passwordHash: passwordHash, role: role, ownSpace: ownSpace))
    }

    private func openPublic(ownSpace: Bool) throws -> AccountChangeResult {
        if let existing = try account(.login(.public)) { return AccountChangeResult(account: existing.account) }
        return try result(
            try insertAccount(
                .builtIn, login: .public, email: nil, passwordHash: nil, role: .user, ownSpace: ownSpace))
    }

    private func openContainer(of digest: TokenDigest, ownSpace: Bool) throws -> AccountChangeResult {
        func existing() throws -> AccountChangeResult? {
            try accountRecord(of: digest).map {
                AccountChangeResult(account: $0.account, credential: $0.credential?.id)
            }
        }
        if let existing = try existing() { return existing }
        // Another may have opened it while the lock was waited for.
        if try lockAccounts(), let existing = try existing() { return existing }
        let isRevoked = try session.exists("SELECT 1 FROM credentials WHERE digest = $1", [.bytes(digest.bytes)])
        guard !isRevoked else { throw StorageError.unauthenticated }
        let account = try insertAccount(
            .token, login: nil, email: nil, passwordHash: nil, role: .user, ownSpace: ownSpace)
        let credential = try insertCredential(
            digest, of: account, kind: .container, label: nil, lifetime: nil, idle: nil)
        return try result(account, credential)
    }

    /// Keeps others from making accounts until the end of the transaction: two would take the same serial.
    ///
    /// - Returns: Whether there may have been another until now; false where there is one writer at a time.
    @discardableResult
    private func lockAccounts() throws -> Bool {
        guard let lock = dialect.accountLock else { return false }
        _ = try session.query(lock, [])
        return true
    }

    private func insertAccount(
        _ kind: Account.Kind, login: Login?, email: String?, passwordHash: String?, role: Account.Role, ownSpace: Bool
    ) throws -> AccountID {
        let account = AccountID()
        let container = ContainerID()
        try lockAccounts()
        try session.execute(
            """
            INSERT INTO accounts (id, kind, login, email, password_phc, role, serial, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, (SELECT COALESCE(MAX(serial), 0) + 1 FROM accounts), \(dialect.now))
            """,
            [
                .id(account), .text(kind.rawValue), login.map { .bytes($0.bytes) } ?? .null, .optionalText(email),
                .optionalText(passwordHash), .text(role.rawValue),
            ])
        let space = ownSpace ? Space(id: container) : .shared
        try session.execute(
            "INSERT INTO containers (id, account_id, space) VALUES ($1, $2, $3)",
            [.id(container), .id(account), .id(space.id)])
        return account
    }

    private func insertCredential(
        _ digest: TokenDigest, of account: AccountID, kind: StoredCredential.Kind, label: String?, lifetime: Int64?,
        idle: Int64?
    ) throws -> CredentialID {
        let credential = CredentialID()
        try session.execute(
            """
            INSERT INTO credentials (id, digest, account_id, kind, label, created_at, expires_at, idle_until) \
            VALUES ($1, $2, $3, $4, $5, \(dialect.now), \(dialect.now) + $6, \(dialect.now) + $7)
            """,
            [
                .id(credential), .bytes(digest.bytes), .id(account), .text(kind.rawValue), .optionalText(label),
                .optionalInteger(lifetime), .optionalInteger(idle),
            ])
        return credential
    }
}
