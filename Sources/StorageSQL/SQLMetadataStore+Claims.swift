public import StorageCore

/// Uploads and their claims on blobs.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/claim(_:)``.
    public func claim(_ claim: UploadClaim) async throws -> ClaimedBlob {
        try await writeRepeatably(.relaxed) { transaction in
            let blob = try transaction.claimBlob(claim)
            try transaction.session.perform(
                """
                INSERT INTO uploads (id, container_id, blob_id, started_at, heartbeat_at) \
                VALUES ($1, $2, $3, \(transaction.dialect.now), \(transaction.dialect.now)) \
                ON CONFLICT (id) DO UPDATE SET blob_id = excluded.blob_id, heartbeat_at = excluded.heartbeat_at, \
                abandoned_at = NULL WHERE uploads.committed_at IS NULL
                """, [.id(claim.upload), .id(claim.container), .id(blob.id)])
            return blob
        }
    }

    /// See ``/StorageCore/MetadataStore/reserve(_:)``.
    public func reserve(_ reservation: UploadReservation) async throws -> Int64 {
        try await writeRepeatably(.relaxed) { try $0.reserve(reservation) }
    }

    /// See ``/StorageCore/MetadataStore/renew(_:lease:)``.
    public func renew(_ upload: UploadID, lease: Int64) async throws -> Bool {
        try await writeRepeatably(.relaxed) { transaction in
            let session = transaction.session
            let now = transaction.dialect.now
            let renewed = try session.execute(
                """
                UPDATE uploads SET heartbeat_at = \(now) \
                WHERE id = $1 AND committed_at IS NULL AND abandoned_at IS NULL
                """, [.id(upload)])
            guard renewed > 0,
                let row = try session.first(
                    "SELECT u.blob_id, b.state FROM uploads u LEFT JOIN blobs b ON b.id = u.blob_id WHERE u.id = $1",
                    [.id(upload)])
            else { return false }
            // A body that is still on its way has no blob yet.
            guard let blob = try row.optionalBytes(0) else { return true }
            let state: BlobRecord.State = try row.word(1)
            guard state == .pending || state == .live else { return false }
            try session.execute(
                """
                UPDATE blobs SET claimed_until = \(now) + $1 \
                WHERE id = $2 AND state = 'pending' AND claimed_until < \(now) + $1
                """, [.integer(lease), .bytes(blob)])
            return true
        }
    }

    /// See ``/StorageCore/MetadataStore/abandon(_:)``.
    public func abandon(_ upload: UploadID) async throws {
        try await writeRepeatably(.relaxed, .ignored) { transaction in
            let open = try transaction.session.execute(
                "UPDATE uploads SET abandoned_at = \(transaction.dialect.now) WHERE id = $1 AND committed_at IS NULL",
                [.id(upload)])
            if open > 0 { try transaction.release(of: upload) }
        }
    }

    /// See ``/StorageCore/MetadataStore/outcome(of:)``.
    public func outcome(of upload: UploadID) async throws -> UploadOutcome {
        try await writeRepeatably(.relaxed) { transaction in
            let rows = try transaction.session.query(
                "SELECT committed_at, abandoned_at FROM uploads WHERE id = $1\(transaction.dialect.forUpdate)",
                [.id(upload)])
            guard let row = rows.first, row.isNull(1) else { return .unknown }
            guard !row.isNull(0) else { return .open }
            return .committed(try transaction.result(ofCommitted: upload))
        }
    }
}

extension SQLTransaction {
    /// The pending or live life of a digest, or a new one.
    fileprivate func claimBlob(_ claim: UploadClaim) throws -> ClaimedBlob {
        // A second round is needed only where another transaction made the row between our look and our insert.
        for _ in 0..<3 {
            let key: [SQLValue] = [.id(claim.space.id), .bytes(claim.digest.bytes)]
            let current = try session.ask(
                "SELECT id, gen, state FROM blobs WHERE space = $1 AND hash = $2 AND state IN ('pending', 'live')", key)
            let earlier = try session.ask("SELECT 1 FROM blobs WHERE space = $1 AND hash = $2 LIMIT 1", key)
            let blob =
                if let row = try current.first() {
                    try claimCurrentBlob(claim, row)
                } else {
                    try claimNewBlob(claim, generation: earlier.first() == nil ? 0 : BlobKey.newGeneration())
                }
            if let blob { return blob }
        }
        throw SQLError(.busy, "others kept making and ending claims of the same blob")
    }

    private func claimCurrentBlob(_ claim: UploadClaim, _ row: SQLRow) throws -> ClaimedBlob? {
        let state: BlobRecord.State = try row.word(2)
        let blob = ClaimedBlob(
            id: try row.id(0),
            key: BlobKey(space: claim.space, digest: claim.digest, generation: try row.integer(1)),
            isLive: state == .live)
        // Whether a live blob is still that is decided when it is referred to.
        guard !blob.isLive else { return blob }
        let prolonged = try session.execute(
            """
            UPDATE blobs SET claimed_until = CASE WHEN claimed_until < \(dialect.now) + $1 THEN \(dialect.now) + $1 \
            ELSE claimed_until END WHERE id = $2 AND state = 'pending'
            """, [.integer(claim.lease), .id(blob.id)])
        return prolonged > 0 ? blob : nil
    }

    private func claimNewBlob(_ claim: UploadClaim, generation: Int64) throws -> ClaimedBlob? {
        let id = BlobID()
        let made = try session.execute(
            """
            INSERT INTO blobs (id, space, hash, gen, size, state, claimed_until, state_at) \
            VALUES ($1, $2, $3, $4, $5, 'pending', \(dialect.now) + $6, \(dialect.now)) ON CONFLICT DO NOTHING
            """,
            [
                .id(id), .id(claim.space.id), .bytes(claim.digest.bytes), .integer(generation), .integer(claim.size),
                .integer(claim.lease),
            ])
        guard made > 0 else { return nil }
        return ClaimedBlob(
            id: id, key: BlobKey(space: claim.space, digest: claim.digest, generation: generation), isLive: false)
    }
}
