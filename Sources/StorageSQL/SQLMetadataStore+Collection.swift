public import StorageCore

/// Collecting blobs, and housekeeping.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/doom(grace:retry:limit:)``.
    public func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord] {
        // A batch whose candidates are all still referred to says nothing of those behind it.
        while true {
            let (blobs, isLast) = try await write { transaction in
                let now = transaction.dialect.now
                let live = try transaction.collect("b.state = 'live' AND b.released_at <= \(now) - $1", grace, limit)
                let rest = limit - live.doomed.count
                let pending = try transaction.collect("b.state = 'pending' AND b.claimed_until <= \(now) - $1", 0, rest)
                let blobs = live.doomed + pending.doomed
                let leftovers = try transaction.leftovers(retry, limit: limit - blobs.count)
                return (blobs + leftovers, live.isLast && pending.isLast)
            }
            if !blobs.isEmpty || isLast { return blobs }
        }
    }

    /// See ``/StorageCore/MetadataStore/settle(_:)``.
    public func settle(_ settlement: BlobSettlement) async throws {
        switch settlement {
        case .gone(let blobs):
            // Made again, it would take a deletion that is to be done once more for one that was.
            try await write(.durable, .ignored) { transaction in
                for blob in blobs.sorted() { try transaction.settleDeletion(of: blob) }
            }
        case .corrupt(let key):
            try await writeRepeatably(.durable, .ignored) { try $0.settleCorruption(of: key) }
        case .writtenLate(let key):
            try await writeRepeatably(.durable, .ignored) { try $0.settleLateWrite(of: key) }
        }
    }

    /// See ``/StorageCore/MetadataStore/tidy(_:)``.
    public func tidy(_ chore: Chore) async throws -> Bool {
        try await writeRepeatably { transaction in
            let now = transaction.dialect.now
            switch chore {
            case .foldUsage:
                return try transaction.foldUsage(limit: SQLTransaction.sweepSize)
            case .sweepUploads(let silent, let abandoned, let kept):
                let released = try transaction.releaseSilent(silent, limit: SQLTransaction.sweepSize)
                let left = try transaction.sweep(
                    "uploads", "committed_at IS NULL AND reserved = 0 AND heartbeat_at < \(now) - $1",
                    [.integer(abandoned)])
                let given = try transaction.sweep("uploads", "abandoned_at IS NOT NULL AND committed_at IS NULL", [])
                let done = try transaction.sweep("uploads", "committed_at < \(now) - $1", [.integer(kept)])
                return released || left || given || done
            case .sweepCredentials:
                let ended = ["expires_at < \(now)", "idle_until < \(now)", "revoked_at < \(now)"]
                // A container's token that was revoked must stay known, or its next use would make a new container.
                return try ended.map { try transaction.sweep("credentials", "kind = 'session' AND \($0)", []) }
                    .contains(true)
            case .removeClosedAccounts:
                return try transaction.removeClosedAccount(limit: SQLTransaction.sweepSize)
            case .sweepTombstones(let age):
                return try transaction.sweep(
                    "blobs", "state = 'gone' AND gen <> 0 AND state_at < \(now) - $1", [.integer(age)])
            case .backfill:
                return try transaction.fillFacts(limit: SQLTransaction.sweepSize)
            }
        }
    }
}

extension SQLTransaction {
    private static let blobColumns = "b.id, b.space, b.hash, b.gen, b.size, b.state"
    fileprivate static let sweepSize = 500

    private func blob(_ row: SQLRow) throws -> BlobRecord {
        BlobRecord(
            id: try row.id(0), key: try row.blobKey(1), size: try row.integer(4), state: try row.word(5))
    }

    /// Dooms the blobs of a condition that nothing refers to, and takes the others off the list.
    ///
    /// Whether a blob is referred to is asked in a second statement, after the lock: an answer from before the lock may be
    /// older than a reference that was committed while the lock was waited for.
    ///
    /// - Returns: The doomed ones, and whether there were no further candidates.
    fileprivate func collect(
        _ condition: String, _ age: Int64, _ limit: Int
    ) throws -> (doomed: [BlobRecord], isLast: Bool) {
        guard limit > 0 else { return ([], true) }
        let candidates = try session.query(
            """
            SELECT \(Self.blobColumns) FROM blobs b WHERE \(condition) LIMIT $2\
            \(dialect.forUpdate)\(dialect.skipLocked)
            """, [.integer(age), .integer(Int64(limit))]
        ).map(blob)
        var doomed: [BlobRecord] = []
        let references = try candidates.map {
            try session.ask("SELECT 1 FROM revisions WHERE blob_id = $1 LIMIT 1", [.id($0.id)])
        }
        for (candidate, reference) in zip(candidates, references) {
            if try reference.first() != nil {
                try session.perform("UPDATE blobs SET released_at = NULL WHERE id = $1", [.id(candidate.id)])
            } else {
                try session.perform(
                    """
                    UPDATE blobs SET state = 'doomed', state_at = \(dialect.now), claimed_until = \(dialect.now), \
                    released_at = NULL WHERE id = $1
                    """, [.id(candidate.id)])
                doomed.append(
                    BlobRecord(id: candidate.id, key: candidate.key, size: candidate.size, state: .doomed))
            }
        }
        return (doomed, candidates.count < limit)
    }

    /// A deletion that was reported; where the key was written meanwhile, it is due again at once.
    fileprivate func settleDeletion(of blob: BlobID) throws {
        let gone = try session.execute(
            """
            UPDATE blobs SET state = 'gone', state_at = \(dialect.now), claimed_until = NULL \
            WHERE id = $1 AND state = 'doomed' AND released_at IS NULL
            """, [.id(blob)])
        guard gone == 0 else { return }
        try session.execute(
            "UPDATE blobs SET released_at = NULL, claimed_until = 0 WHERE id = $1 AND state = 'doomed'", [.id(blob)])
    }

    fileprivate func settleCorruption(of key: BlobKey) throws {
        try session.execute(
            """
            UPDATE blobs SET state = 'corrupt', state_at = \(dialect.now) \
            WHERE space = $1 AND hash = $2 AND gen = $3 AND state IN ('pending', 'live')
            """, [.id(key.space.id), .bytes(key.digest.bytes), .integer(key.generation)])
    }

    /// A blob that is still doomed may be deleted at this moment, before or after it was written: `released_at` tells whoever reports
    /// the deletion that it is to be done once more.
    fileprivate func settleLateWrite(of key: BlobKey) throws {
        try session.execute(
            """
            UPDATE blobs SET released_at = CASE WHEN state = 'doomed' THEN \(dialect.now) END, \
            claimed_until = CASE WHEN state = 'doomed' THEN claimed_until ELSE 0 END, \
            state_at = CASE WHEN state = 'doomed' THEN state_at ELSE \(dialect.now) END, state = 'doomed' \
            WHERE space = $1 AND hash = $2 AND gen = $3 AND state IN ('doomed', 'gone')
            """, [.id(key.space.id), .bytes(key.digest.bytes), .integer(key.generation)])
    }

    /// Doomed blobs whose deletion nobody reported: of these, `claimed_until` is when a collector last got them.
    fileprivate func leftovers(_ age: Int64, limit: Int) throws -> [BlobRecord] {
        guard limit > 0 else { return [] }
        let leftovers = try session.query(
            """
            SELECT \(Self.blobColumns) FROM blobs b \
            WHERE b.state = 'doomed' AND COALESCE(b.claimed_until, b.state_at) < \(dialect.now) - $1 \
            LIMIT $2\(dialect.forUpdate)\(dialect.skipLocked)
            """, [.integer(age), .integer(Int64(limit))]
        ).map(blob)
        for blob in leftovers {
            // Handed out: nobody else gets it until it is due again. It is doomed for as long as before.
            try session.perform("UPDATE blobs SET claimed_until = \(dialect.now) WHERE id = $1", [.id(blob.id)])
        }
        return leftovers
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
}
