import StorageSQL

extension SQLDialect {
    /// PostgreSQL 10 and later.
    static let postgres = SQLDialect(
        name: "postgres",
        // The moment at which the statement came to the server. EXTRACT gave a double before version 14; it holds microseconds of
        // this century exactly.
        now: "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)",
        forUpdate: " FOR UPDATE",
        forNoKeyUpdate: " FOR NO KEY UPDATE",
        forShare: " FOR SHARE",
        forKeyShare: " FOR KEY SHARE",
        skipLocked: " SKIP LOCKED",
        place: { "position(\($0) IN \($1))" },
        isDistinct: "IS DISTINCT FROM",
        tableLookup: "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        // Another migrator may take its time, and so may a step: the limits on a statement's time do not hold in this transaction. But
        // behind a step that waits for a table, which a dump has in use say, everybody else waits too.
        migrationLock: """
            SET LOCAL statement_timeout = 0;
            SET LOCAL lock_timeout = 0;
            SELECT pg_advisory_xact_lock(\(LockKey.migration.rawValue));
            SET LOCAL lock_timeout = '1s';
            """,
        accountLock: "SELECT pg_advisory_xact_lock(\(LockKey.account.rawValue))",
        writeBarrier: .statementTriggers)
}

/// The advisory locks of a database; the numbers say "storaged" and what for.
private enum LockKey: Int64 {
    case migration = 0x73746f72_61676501
    case account = 0x73746f72_61676502
}
