import StorageSQL

/// The snapshot of a statement names the committed state that it sees: which transactions are done (PostgreSQL documentation, 9.27.10).
/// Two statements with one snapshot see the same, and transactions that only read do not change it. That holds for as long as the server
/// runs: one that comes back from a crash may give the numbers of transactions that it has lost to others.
extension SQLVersion {
    /// Asks for it, and for the start of the server, which tells it from another that has taken its place.
    static let postgres = """
        SELECT CAST(txid_current_snapshot() AS TEXT), \
        CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)
        """

    /// What ``postgres`` answered; nil while many transactions are under way, which a version has no room for.
    ///
    /// - Parameter connections: How many connections were made before it was asked: a crash ends all that there are.
    init?(postgres result: PostgresResult, connections: UInt64) {
        guard let row = try? result.rows().first, let start = try? row.integer(1), let snapshot = try? row.text(0)
        else {
            return nil
        }
        self.init(snapshot: snapshot, start: start, connections: connections)
    }

    /// - Parameters:
    ///   - snapshot: `xmin:xmax:xip,xip,…`: all transactions before the first are done, none from the second on, and not those listed.
    ///   - start: When the server was started.
    ///   - connections: How many connections were made.
    init?(snapshot: String, start: Int64, connections: UInt64) {
        let parts = snapshot.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let oldest = UInt64(parts[0]), let next = UInt64(parts[1]) else { return nil }
        var words = SIMD8<UInt64>()
        let running = parts[2].split(separator: ",")
        let firstRunning = 4
        guard running.count <= words.scalarCount - firstRunning else { return nil }
        (words[0], words[1], words[2]) = (UInt64(bitPattern: start), oldest, next)
        words[3] = connections << 8 | UInt64(running.count)
        for (index, transaction) in running.enumerated() {
            guard let number = UInt64(transaction) else { return nil }
            words[firstRunning + index] = number
        }
        self.init(words)
    }
}
