/// Limits of containers, and the room that uploads have set aside under them.
extension MemoryTables {
    mutating func reserve(_ reservation: UploadReservation) throws -> Int64 {
        guard uploads[reservation.upload]?.committedAt == nil else { return reservation.wanted }
        let container = try container(reservation.container)
        let limits = container.limits(defaults: reservation.limits)
        if let limit = limits.files, reservation.addsFile, container.usage.files >= limit {
            throw StorageError.quotaExceeded(limits)
        }
        guard let limit = limits.bytes else { return reservation.wanted }
        let held = uploads[reservation.upload]?.reserved ?? 0
        let room = max(0, limit - container.usage.bytes - (container.reserved - held))
        guard reservation.needed <= room else { throw StorageError.quotaExceeded(limits) }
        var upload =
            uploads[reservation.upload] ?? UploadRow(container: reservation.container, heartbeatAt: now)
        upload.reserved = min(reservation.wanted, room)
        upload.heartbeatAt = now
        upload.isAbandoned = false
        uploads[reservation.upload] = upload
        containers[reservation.container]?.reserved += upload.reserved - held
        return upload.reserved
    }

    /// Gives back what an upload has set aside.
    mutating func release(of upload: UploadID) {
        guard let row = uploads[upload] else { return }
        containers[row.container]?.reserved -= row.reserved
        uploads[upload]?.reserved = 0
    }

    /// The older revisions that have to give way to growth, the oldest first; `replaced` is the last to. Those without bytes stay.
    ///
    /// - Parameters:
    ///   - change: What is added, `going` already taken off.
    ///   - going: Revisions that are removed in any case.
    /// - Throws: ``StorageError/Code/quotaExceeded`` for growth that there is no room for.
    func revisionsGivingWay(
        to change: Usage, in id: ContainerID, defaults: ContainerLimits, going: Set<RevisionID>, replaced: RevisionRow?
    ) throws -> [RevisionID] {
        let container = try container(id)
        let limits = container.limits(defaults: defaults)
        if let limit = limits.files, change.files > 0, container.usage.files + change.files > limit {
            throw StorageError.quotaExceeded(limits)
        }
        guard let limit = limits.bytes else { return [] }
        let bytes = container.usage.bytes + change.bytes + container.reserved
        guard bytes <= limit || change.bytes <= 0 else { throw StorageError.quotaExceeded(limits) }
        var excess = bytes + container.usage.revisionBytes + change.revisionBytes - limit
        var chosen: [RevisionID] = []
        for revision in olderRevisions(in: id) + [replaced].compactMap({ $0 })
        where excess > 0 && revision.size > 0 && !going.contains(revision.id) {
            chosen.append(revision.id)
            excess -= revision.size
        }
        return chosen
    }

    private func olderRevisions(in container: ContainerID) -> [RevisionRow] {
        files.values.filter { $0.container == container }
            .flatMap { $0.revisions.dropLast().compactMap { revisions[$0] } }
            .sorted { ($0.supersededAt, $0.id) < ($1.supersededAt, $1.id) }
    }
}

extension MemoryTables.ContainerRow {
    fileprivate func limits(defaults: ContainerLimits) -> ContainerLimits {
        ContainerLimits(bytes: usage.limitBytes, files: usage.limitFiles).inForce(defaults: defaults)
    }
}
