public import StorageCore

/// What is compared with the blob store and with itself.
extension SQLMetadataStore {
    /// See ``MetadataStore/inspectBlobs(after:limit:)``.
    public func inspectBlobs(after: BlobID?, limit: Int) async throws -> [BlobInspection] {
        try await read { transaction in
            try transaction.session.query(
                """
                SELECT b.id, b.space, b.hash, b.gen, b.size, b.state, b.released_at, \
                CASE WHEN EXISTS (SELECT 1 FROM revisions r WHERE r.blob_id = b.id) THEN 1 ELSE 0 END \
                FROM blobs b WHERE b.id > $1 ORDER BY b.id LIMIT $2
                """, [.id(after ?? BlobID(high: 0, low: 0)), .integer(Int64(limit))]
            ).map { row in
                BlobInspection(
                    blob: BlobRecord(
                        id: try row.id(0), key: try row.blobKey(1), size: try row.integer(4), state: try row.word(5)),
                    isReferenced: try row.integer(7) == 1, isReleased: !row.isNull(6))
            }
        }
    }

    /// See ``MetadataStore/inspectContainers(after:limit:)``.
    public func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection] {
        try await read { transaction in
            try transaction.session.query(
                "SELECT id, reserved_bytes FROM containers WHERE id > $1 ORDER BY id LIMIT $2",
                [.id(after ?? ContainerID(high: 0, low: 0)), .integer(Int64(limit))]
            ).map { row in
                let id: ContainerID = try row.id(0)
                let recorded = try transaction.usage(of: id)
                var counted = try transaction.countedUsage(of: id)
                (counted.limitBytes, counted.limitFiles) = (recorded.limitBytes, recorded.limitFiles)
                return ContainerInspection(
                    id: id, recorded: recorded, counted: counted, recordedReservations: try row.integer(1),
                    countedReservations: try transaction.countedReservations(of: id))
            }
        }
    }
}

extension SQLTransaction {
    fileprivate func countedUsage(of container: ContainerID) throws -> Usage {
        let row = try session.first(
            """
            SELECT CAST(COALESCE(SUM(CASE WHEN f.revision_id = r.id THEN r.size ELSE 0 END), 0) AS BIGINT), \
            CAST(COALESCE(SUM(CASE WHEN f.revision_id = r.id THEN 1 ELSE 0 END), 0) AS BIGINT), \
            CAST(COALESCE(SUM(CASE WHEN f.revision_id = r.id THEN 0 ELSE r.size END), 0) AS BIGINT) \
            FROM files f JOIN revisions r ON r.file_id = f.id WHERE f.container_id = $1
            """, [.id(container)])
        guard let row else { return Usage() }
        return Usage(bytes: try row.integer(0), files: try row.integer(1), revisionBytes: try row.integer(2))
    }

    fileprivate func countedReservations(of container: ContainerID) throws -> Int64 {
        try session.first(
            "SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT) FROM uploads WHERE container_id = $1", [.id(container)]
        )?.integer(0) ?? 0
    }
}
