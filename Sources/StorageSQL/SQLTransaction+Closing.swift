import StorageCore

/// Closing accounts, and removing what they leave behind.
extension SQLTransaction {
    func close(_ account: AccountID) throws {
        // Whoever refers to the container, as every upload does, is through or comes too late.
        _ = try session.query("SELECT id FROM containers WHERE account_id = $1\(dialect.forUpdate)", [.id(account)])
        try session.execute(
            "UPDATE containers SET closed_at = \(dialect.now) WHERE account_id = $1 AND closed_at IS NULL",
            [.id(account)])
        try session.execute(
            "UPDATE credentials SET revoked_at = \(dialect.now) WHERE account_id = $1 AND revoked_at IS NULL",
            [.id(account)])
        try session.execute(
            """
            UPDATE accounts SET login = NULL, email = NULL, password_phc = NULL, disabled_at = \(dialect.now) \
            WHERE id = $1
            """, [.id(account)])
    }

    /// Sets limits of a container's own; usage is exact in its row from then on.
    func setLimits(_ limits: ContainerLimits, of account: AccountID) throws {
        let row = try session.first(
            "SELECT id FROM containers WHERE account_id = $1\(dialect.forUpdate)", [.id(account)])
        guard let row else { return }
        let container: ContainerID = try row.id(0)
        while try foldUsage(of: container, limit: 1_000) {}
        try session.execute(
            "UPDATE containers SET limit_bytes = $1, limit_files = $2 WHERE id = $3",
            [.optionalInteger(limits.bytes), .optionalInteger(limits.files), .id(container)])
    }

    /// Removes some entries of one closed container, or the container with its account when it has none left.
    ///
    /// - Returns: Whether there is more to do.
    func removeClosedAccount(limit: Int) throws -> Bool {
        let row = try session.first(
            """
            SELECT id, account_id FROM containers WHERE closed_at IS NOT NULL ORDER BY closed_at LIMIT 1\
            \(dialect.forUpdate)\(dialect.skipLocked)
            """, [])
        guard let row else { return false }
        let (container, account): (ContainerID, AccountID) = (try row.id(0), try row.id(1))
        // From the last path to the first, so that a folder comes after everything below it.
        let entries = try records(
            session.query(
                "\(StoredFile.selection(.copy)) WHERE f.container_id = $1 ORDER BY f.path DESC LIMIT $2",
                [.id(container), .integer(Int64(limit))]))
        // Counted as long as it is there: whoever compares finds nothing wrong with half of it.
        try add(try remove(entries), to: container)
        guard entries.isEmpty else { return true }
        for table in ["uploads", "usage_deltas"] {
            try session.execute("DELETE FROM \(table) WHERE container_id = $1", [.id(container)])
        }
        try session.execute("DELETE FROM containers WHERE id = $1", [.id(container)])
        try session.execute("DELETE FROM credentials WHERE account_id = $1 AND kind = 'session'", [.id(account)])
        // The row of the highest serial stays, so that the next account does not get that serial again.
        try session.execute(
            """
            DELETE FROM accounts WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM credentials WHERE account_id = $1) \
            AND serial < (SELECT MAX(serial) FROM accounts)
            """, [.id(account)])
        return true
    }
}
