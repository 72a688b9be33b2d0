/// What is compared with the blob store and with itself.
extension MemoryTables {
    func inspectBlobs(_ selection: BlobSelection) throws -> [BlobInspection] {
        switch selection {
        case .page(let after, let limit):
            return blobs.values.filter { row in after.map { $0 < row.id } ?? true }
                .sorted { $0.id < $1.id }.prefix(max(limit, 0)).map { inspection(of: $0) }
        case .keys(let keys):
            guard keys.count <= BlobSelection.keyLimit else {
                throw StorageError(.internal, "At most \(BlobSelection.keyLimit) keys may be asked for at once.")
            }
            return Set(keys).flatMap { key in
                lives[Content(space: key.space, digest: key.digest), default: []].compactMap { blobs[$0] }
                    .filter { $0.key == key }.map { inspection(of: $0) }
            }
        }
    }

    private func inspection(of row: BlobRow) -> BlobInspection {
        BlobInspection(
            blob: row.record, isReferenced: !row.references.isEmpty, isReleased: row.releasedAt != nil,
            stateAge: now.microseconds - row.stateAt.microseconds,
            claimAge: row.state == .pending ? row.claimedUntil.map { now.microseconds - $0.microseconds } : nil)
    }

    func inspectContainers(after: ContainerID?, limit: Int) -> [ContainerInspection] {
        containers.filter { id, _ in after.map { $0 < id } ?? true }
            .sorted { $0.key < $1.key }.prefix(max(limit, 0))
            .map { id, row in
                let own = uploads.values.filter { $0.container == id }
                let silentSince = own.filter { $0.committedAt == nil }.map(\.heartbeatAt).min()
                return ContainerInspection(
                    id: id, recorded: row.usage, counted: counted(row), recordedReservations: row.reserved,
                    countedReservations: own.reduce(0) { $0 + $1.reserved },
                    longestSilence: silentSince.map { now.microseconds - $0.microseconds })
            }
    }

    private func counted(_ container: ContainerRow) -> Usage {
        var usage = Usage(limitBytes: container.usage.limitBytes, limitFiles: container.usage.limitFiles)
        for file in container.entries.keys.compactMap({ container.entries[$0] }).compactMap({ files[$0] }) {
            let sizes = file.revisions.compactMap { revisions[$0]?.size }
            guard let current = sizes.last else { continue }
            usage.files += 1
            usage.bytes += current
            usage.revisionBytes += sizes.dropLast().reduce(0, +)
        }
        return usage
    }
}
