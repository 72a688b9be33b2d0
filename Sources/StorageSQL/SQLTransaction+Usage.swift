import StorageCore

/// A container that the transaction holds a lock on.
struct OpenContainer {
    let id: ContainerID
    /// Those in force: its own, or the server's where it has none.
    let limits: ContainerLimits

    var isLimited: Bool { limits != .none }
}

/// How a change moves the usage of a container.
struct UsageChange: Hashable {
    var bytes: Int64 = 0
    var files: Int64 = 0
    var revisionBytes: Int64 = 0

    static func + (one: Self, other: Self) -> Self {
        UsageChange(
            bytes: one.bytes + other.bytes, files: one.files + other.files,
            revisionBytes: one.revisionBytes + other.revisionBytes)
    }
}

/// Usage and limits of containers.
extension SQLTransaction {
    /// Counts a change: in the container's row where that is locked anyway, else in a row of its own, folded later.
    func account(_ change: UsageChange, to container: OpenContainer) throws {
        guard change != UsageChange() else { return }
        let amounts: [SQLValue] = [.integer(change.bytes), .integer(change.files), .integer(change.revisionBytes)]
        if container.isLimited {
            try add(change, to: container.id)
        } else {
            try session.perform(
                "INSERT INTO usage_deltas (bytes, files, revision_bytes, container_id, id) VALUES ($1, $2, $3, $4, $5)",
                amounts + [.id(container.id), .id(Identifier<UsageChange>())])
        }
    }

    /// Counts a change in the container's row, which is locked.
    func add(_ change: UsageChange, to container: ContainerID) throws {
        guard change != UsageChange() else { return }
        try session.perform(
            """
            UPDATE containers SET used_bytes = used_bytes + $1, used_files = used_files + $2, \
            revision_bytes = revision_bytes + $3 WHERE id = $4
            """,
            [.integer(change.bytes), .integer(change.files), .integer(change.revisionBytes), .id(container)])
    }

    /// Adds some deltas to the rows of their containers; whether there may be more.
    func foldUsage(of container: ContainerID? = nil, limit: Int) throws -> Bool {
        let condition = container == nil ? "" : " WHERE container_id = $1"
        let deltas = try session.query(
            """
            SELECT id, container_id, bytes, files, revision_bytes FROM usage_deltas\(condition) LIMIT \(limit)\
            \(dialect.forUpdate)\(dialect.skipLocked)
            """, container.map { [.id($0)] } ?? [])
        var sums: [ContainerID: UsageChange] = [:]
        for row in deltas {
            let change = UsageChange(
                bytes: try row.integer(2), files: try row.integer(3), revisionBytes: try row.integer(4))
            sums[try row.id(1), default: UsageChange()] = sums[try row.id(1), default: UsageChange()] + change
            try session.perform("DELETE FROM usage_deltas WHERE id = $1", [.bytes(try row.bytes(0))])
        }
        for (container, sum) in sums.sorted(by: { $0.key < $1.key }) { try add(sum, to: container) }
        return deltas.count == limit
    }

    // MARK: - Room under a limit

    /// What a container with a limit holds, and what uploads have set aside in it.
    func occupancy(of container: OpenContainer) throws -> (used: Usage, reserved: Int64) {
        let row = try session.first(
            "SELECT reserved_bytes FROM containers WHERE id = $1", [.id(container.id)])
        return (try usage(of: container.id), try row?.integer(0) ?? 0)
    }

    func usage(of container: ContainerID) throws -> Usage {
        let row = try session.first(
            """
            SELECT c.used_bytes + CAST(COALESCE(SUM(d.bytes), 0) AS BIGINT), \
            c.used_files + CAST(COALESCE(SUM(d.files), 0) AS BIGINT), \
            c.revision_bytes + CAST(COALESCE(SUM(d.revision_bytes), 0) AS BIGINT), c.limit_bytes, c.limit_files \
            FROM containers c LEFT JOIN usage_deltas d ON d.container_id = c.id WHERE c.id = $1 \
            GROUP BY c.id, c.used_bytes, c.used_files, c.revision_bytes, c.limit_bytes, c.limit_files
            """, [.id(container)])
        guard let row else { return Usage() }
        return Usage(
            bytes: try row.integer(0), files: try row.integer(1), revisionBytes: try row.integer(2),
            limitBytes: try row.optionalInteger(3), limitFiles: try row.optionalInteger(4))
    }

    /// The older revisions that have to give way to a change, the oldest first; none where there is room or no limit. Those without bytes
    /// would make no room, and stay.
    ///
    /// - Parameters:
    ///   - change: What the change adds.
    ///   - going: Revisions that it removes in any case; counted in the change.
    ///   - replaced: The revision that it makes an older one: the last to give way.
    /// - Throws: ``StorageError/Code/quotaExceeded`` for growth that there is no room for.
    func revisionsGivingWay(
        to change: UsageChange, in container: OpenContainer, going: [StoredRevision], replaced: StoredRevision?
    ) throws -> [StoredRevision] {
        guard container.isLimited else { return [] }
        let (used, reserved) = try occupancy(of: container)
        if let limit = container.limits.files, change.files > 0, used.files + change.files > limit {
            throw StorageError.quotaExceeded(container.limits)
        }
        guard let limit = container.limits.bytes else { return [] }
        let bytes = used.bytes + change.bytes + reserved
        guard bytes <= limit || change.bytes <= 0 else { throw StorageError.quotaExceeded(container.limits) }
        var excess = bytes + used.revisionBytes + change.revisionBytes - limit
        var chosen: [StoredRevision] = []
        let known = Set(going.map(\.id))
        var last: (Int64, RevisionID)?
        while excess > 0 {
            let page = try oldestRevisions(of: container.id, after: last)
            for (revision, supersededAt) in page {
                last = (supersededAt, revision.id)
                guard excess > 0, !known.contains(revision.id) else { continue }
                chosen.append(revision)
                excess -= revision.size
            }
            if page.count < Self.pruningPage { break }
        }
        if excess > 0, let replaced, replaced.size > 0, !known.contains(replaced.id) { chosen.append(replaced) }
        return chosen
    }

    private static let pruningPage = 50

    private func oldestRevisions(
        of container: ContainerID, after last: (supersededAt: Int64, id: RevisionID)?
    ) throws -> [(StoredRevision, supersededAt: Int64)] {
        try session.query(
            """
            SELECT id, blob_id, size, superseded_at FROM revisions \
            WHERE container_id = $1 AND superseded_at IS NOT NULL AND (superseded_at, id) > ($2, $3) AND size > 0 \
            ORDER BY superseded_at, id LIMIT \(Self.pruningPage)
            """,
            [.id(container), .integer(last?.supersededAt ?? .min), .id(last?.id ?? RevisionID(high: 0, low: 0))]
        ).map {
            (StoredRevision(id: try $0.id(0), blob: try $0.id(1), size: try $0.integer(2)), try $0.integer(3))
        }
    }

    // MARK: - Room set aside

    /// Sets aside what there is room for, in place of what the upload had.
    func reserve(_ reservation: UploadReservation) throws -> Int64 {
        let row = try session.first(
            "SELECT reserved, committed_at FROM uploads WHERE id = $1\(dialect.forUpdate)", [.id(reservation.upload)])
        guard row?.isNull(1) ?? true else { return reservation.wanted }
        let held = try row?.integer(0) ?? 0
        let container = try openContainer(reservation.container, defaults: reservation.limits)
        guard container.isLimited else { return reservation.wanted }
        let (used, reserved) = try occupancy(of: container)
        if let limit = container.limits.files, reservation.addsFile, used.files >= limit {
            throw StorageError.quotaExceeded(container.limits)
        }
        guard let limit = container.limits.bytes else { return reservation.wanted }
        let room = limit - used.bytes - (reserved - held)
        guard reservation.needed <= max(0, room) else { throw StorageError.quotaExceeded(container.limits) }
        let granted = min(reservation.wanted, max(0, room))
        try session.perform(
            """
            INSERT INTO uploads (id, container_id, reserved, started_at, heartbeat_at) \
            VALUES ($1, $2, $3, \(dialect.now), \(dialect.now)) \
            ON CONFLICT (id) DO UPDATE SET reserved = excluded.reserved, heartbeat_at = excluded.heartbeat_at, \
            abandoned_at = NULL
            """, [.id(reservation.upload), .id(container.id), .integer(granted)])
        try addReserved(granted - held, to: container.id)
        return granted
    }

    /// Gives back what an upload has set aside; the row of the upload is locked.
    func release(of upload: UploadID) throws {
        let row = try session.first(
            "SELECT container_id, reserved FROM uploads WHERE id = $1 AND reserved > 0", [.id(upload)])
        guard let row else { return }
        try session.perform("UPDATE uploads SET reserved = 0 WHERE id = $1", [.id(upload)])
        try addReserved(-(try row.integer(1)), to: try row.id(0))
    }

    private func addReserved(_ bytes: Int64, to container: ContainerID) throws {
        guard bytes != 0 else { return }
        try session.perform(
            "UPDATE containers SET reserved_bytes = reserved_bytes + $1 WHERE id = $2",
            [.integer(bytes), .id(container)])
    }

    /// Gives up some of the uploads that have room set aside and gave no sign of life; whether there may be more.
    func releaseSilent(_ age: Int64, limit: Int) throws -> Bool {
        let silent = try session.query(
            """
            SELECT id, container_id, reserved FROM uploads WHERE reserved > 0 AND heartbeat_at < \(dialect.now) - $1 \
            LIMIT \(limit)\(dialect.forUpdate)\(dialect.skipLocked)
            """, [.integer(age)])
        var released: [ContainerID: Int64] = [:]
        for row in silent {
            released[try row.id(1), default: 0] += try row.integer(2)
            try session.perform(
                """
                UPDATE uploads SET reserved = 0, \
                abandoned_at = CASE WHEN committed_at IS NULL THEN \(dialect.now) ELSE abandoned_at END WHERE id = $1
                """, [.bytes(try row.bytes(0))])
        }
        for (container, bytes) in released.sorted(by: { $0.key < $1.key }) { try addReserved(-bytes, to: container) }
        return silent.count == limit
    }
}
