public import StorageCore

/// Collecting blobs, and housekeeping.
extension SQLMetadataStore {
    public func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord] {
        try await write { transaction in
            var blobs = try transaction.collect(
                "b.state = 'live' AND b.released_at <= \(transaction.dialect.now) - $1", grace, limit: limit)
            blobs += try transaction.collect(
                "b.state = 'pending' AND b.claimed_until <= \(transaction.dialect.now) - $1", 0,
                limit: limit - blobs.count)
            return blobs + (try transaction.leftovers(retry, limit: limit - blobs.count))
        }
    }

    public func settle(_ settlement: BlobSettlement) async throws {
        try await write { transaction in
            let now = transaction.dialect.now
            switch settlement {
            case .gone(let blobs):
                for blob in blobs.sorted() {
                    try transaction.session.execute(
                        "UPDATE blobs SET state = 'gone', state_at = \(now) WHERE id = $1 AND state = 'doomed'",
                        [.id(blob)])
                }
            case .corrupt(let blob):
                try transaction.session.execute(
                    """
                    UPDATE blobs SET state = 'corrupt', state_at = \(now) \
                    WHERE id = $1 AND state IN ('pending', 'live')
                    """, [.id(blob)])
            }
        }
    }

    public func tidy(_ chore: Chore) async throws -> Bool {
        try await write { transaction in
            let now = transaction.dialect.now
            switch chore {
            case .foldUsage:
                return try transaction.foldUsage()
            case .sweepUploads(let abandoned, let kept):
                let open = try transaction.sweep(
                    "uploads", "committed_at IS NULL AND (abandoned_at IS NOT NULL OR heartbeat_at < \(now) - $1)",
                    [.integer(abandoned)])
                let done = try transaction.sweep("uploads", "committed_at < \(now) - $1", [.integer(kept)])
                return open || done
            case .sweepCredentials:
                let ended = ["expires_at < \(now)", "idle_until < \(now)", "revoked_at < \(now)"]
                // A container's token that was revoked must stay known, or its next use would make a new container.
                return try ended.map { try transaction.sweep("credentials", "kind = 'session' AND \($0)", []) }
                    .contains(true)
            case .sweepTombstones(let age):
                return try transaction.sweep(
                    "blobs", "state = 'gone' AND gen <> 0 AND state_at < \(now) - $1", [.integer(age)])
            }
        }
    }
}

extension SQLTransaction {
    private static let blobColumns = "b.id, b.space, b.hash, b.gen, b.size, b.state"
    private static let sweepSize = 500

    private func blob(_ row: SQLRow) throws -> BlobRecord {
        BlobRecord(
            id: try row.id(0), key: try row.blobKey(1), size: try row.integer(4), state: try row.word(5))
    }

    /// Dooms the blobs of a condition that nothing refers to, and takes the others off the list.
    ///
    /// Whether a blob is referred to is asked in a second statement, after the lock: an answer from before the lock may be
    /// older than a reference that was committed while the lock was waited for.
    fileprivate func collect(_ condition: String, _ age: Int64, limit: Int) throws -> [BlobRecord] {
        guard limit > 0 else { return [] }
        let candidates = try session.query(
            """
            SELECT \(Self.blobColumns) FROM blobs b WHERE \(condition) LIMIT $2\
            \(dialect.forUpdate)\(dialect.skipLocked)
            """, [.integer(age), .integer(Int64(limit))]
        ).map(blob)
        var doomed: [BlobRecord] = []
        for candidate in candidates {
            if try session.exists("SELECT 1 FROM revisions WHERE blob_id = $1 LIMIT 1", [.id(candidate.id)]) {
                try session.execute("UPDATE blobs SET released_at = NULL WHERE id = $1", [.id(candidate.id)])
            } else {
                try session.execute(
                    "UPDATE blobs SET state = 'doomed', state_at = \(dialect.now) WHERE id = $1", [.id(candidate.id)])
                doomed.append(
                    BlobRecord(id: candidate.id, key: candidate.key, size: candidate.size, state: .doomed))
            }
        }
        return doomed
    }

    /// Doomed blobs whose deletion nobody reported.
    fileprivate func leftovers(_ age: Int64, limit: Int) throws -> [BlobRecord] {
        guard limit > 0 else { return [] }
        return try session.query(
            """
            SELECT \(Self.blobColumns) FROM blobs b WHERE b.state = 'doomed' AND b.state_at < \(dialect.now) - $1 \
            LIMIT $2\(dialect.forUpdate)\(dialect.skipLocked)
            """, [.integer(age), .integer(Int64(limit))]
        ).map(blob)
    }

    /// Deletes some rows of a condition; whether there may be more.
    fileprivate func sweep(_ table: String, _ condition: String, _ arguments: [SQLValue]) throws -> Bool {
        let removed = try session.execute(
            """
            DELETE FROM \(table) WHERE id IN \
            (SELECT id FROM \(table) WHERE \(condition) LIMIT \(Self.sweepSize)\
            \(dialect.forUpdate)\(dialect.skipLocked))
            """, arguments)
        return removed == Self.sweepSize
    }

    /// Adds the deltas of one container to its row; whether there may be more.
    fileprivate func foldUsage() throws -> Bool {
        guard let delta = try session.first("SELECT container_id FROM usage_deltas LIMIT 1", []) else { return false }
        let container = try delta.bytes(0)
        _ = try session.query("SELECT id FROM containers WHERE id = $1\(dialect.forUpdate)", [.bytes(container)])
        let deltas = try session.query(
            """
            SELECT id, bytes, files, revision_bytes FROM usage_deltas WHERE container_id = $1 LIMIT \(Self.sweepSize)\
            \(dialect.forUpdate)
            """, [.bytes(container)])
        var sum = UsageChange()
        for row in deltas {
            sum = sum + UsageChange(bytes: try row.integer(1), files: try row.integer(2), revisionBytes: try row.integer(3))
            try session.execute("DELETE FROM usage_deltas WHERE id = $1", [.bytes(try row.bytes(0))])
        }
        try session.execute(
            """
            UPDATE containers SET used_bytes = used_bytes + $1, used_files = used_files + $2, \
            revision_bytes = revision_bytes + $3 WHERE id = $4
            """, [.integer(sum.bytes), .integer(sum.files), .integer(sum.revisionBytes), .bytes(container)])
        return true
    }
}
