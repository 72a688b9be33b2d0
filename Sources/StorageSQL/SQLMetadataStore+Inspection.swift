public import StorageCore

/// What is compared with the blob store and with itself.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/inspectBlobs(_:)``.
    public func inspectBlobs(_ selection: BlobSelection) async throws -> [BlobInspection] {
        switch selection {
        case .page(let after, let limit):
            return try await read { transaction in
                try transaction.inspections(
                    "b.id > $1 ORDER BY b.id LIMIT $2",
                    [.id(after ?? BlobID(high: 0, low: 0)), .integer(Int64(limit))])
            }
        case .keys(let keys):
            guard keys.count <= BlobSelection.keyLimit else {
                throw StorageError(.internal, "At most \(BlobSelection.keyLimit) keys may be asked for at once.")
            }
            guard !keys.isEmpty else { return [] }
            // Alternatives, each an equality on the whole unique index: what both databases look up key by key. A list of rows is
            // not spelled the same in both.
            let alternatives = keys.indices.map { index in
                "(b.space = $\(3 * index + 1) AND b.hash = $\(3 * index + 2) AND b.gen = $\(3 * index + 3))"
            }
            let arguments = keys.flatMap { key in
                [SQLValue.id(key.space.id), .bytes(key.digest.bytes), .integer(key.generation)]
            }
            return try await read { try $0.inspections(alternatives.joined(separator: " OR "), arguments) }
        }
    }

    /// See ``/StorageCore/MetadataStore/inspectContainers(after:limit:)``.
    public func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection] {
        try await read { transaction in
            try transaction.session.asksSeveralQuestions()
            return try transaction.session.query(
                "SELECT id, reserved_bytes FROM containers WHERE id > $1 ORDER BY id LIMIT $2",
                [.id(after ?? ContainerID(high: 0, low: 0)), .integer(Int64(limit))]
            ).map { row in
                let id: ContainerID = try row.id(0)
                let recorded = try transaction.usage(of: id)
                var found = try transaction.inspectFiles(of: id)
                (found.usage.limitBytes, found.usage.limitFiles) = (recorded.limitBytes, recorded.limitFiles)
                let uploads = try transaction.countedUploads(of: id)
                return ContainerInspection(
                    id: id, recorded: recorded, counted: found.usage, recordedReservations: try row.integer(1),
                    countedReservations: uploads.reserved, longestSilence: uploads.silence,
                    miscopiedFiles: found.miscopied)
            }
        }
    }
}

extension SQLTransaction {
    fileprivate func countedUploads(of container: ContainerID) throws -> (reserved: Int64, silence: Int64?) {
        let row = try session.first(
            """
            SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT), \
            \(dialect.now) - MIN(CASE WHEN committed_at IS NULL THEN heartbeat_at END) \
            FROM uploads WHERE container_id = $1
            """, [.id(container)])
        guard let row else { return (0, nil) }
        return (try row.integer(0), try row.optionalInteger(1))
    }

    /// The blobs of a condition, as they are compared with the blob store.
    fileprivate func inspections(_ condition: String, _ arguments: [SQLValue]) throws -> [BlobInspection] {
        try session.query(
            """
            SELECT b.id, b.space, b.hash, b.gen, b.size, b.state, b.released_at, \
            CASE WHEN EXISTS (SELECT 1 FROM revisions r WHERE r.blob_id = b.id) THEN 1 ELSE 0 END, \
            \(dialect.now) - b.state_at, CASE WHEN b.state = 'pending' THEN \(dialect.now) - b.claimed_until END \
            FROM blobs b WHERE \(condition)
            """, arguments
        ).map { row in
            BlobInspection(
                blob: BlobRecord(
                    id: try row.id(0), key: try row.blobKey(1), size: try row.integer(4), state: try row.word(5)),
                isReferenced: try row.integer(7) == 1, isReleased: !row.isNull(6), stateAge: try row.integer(8),
                claimAge: try row.optionalInteger(9))
        }
    }
}
