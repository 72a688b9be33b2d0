/// What is compared with the blob store and with itself.
extension MemoryTables {
    func inspectBlobs(after: BlobID?, limit: Int) -> [BlobInspection] {
        blobs.values.filter { row in after.map { $0 < row.id } ?? true }
            .sorted { $0.id < $1.id }.prefix(max(limit, 0))
            .map {
                BlobInspection(
                    blob: $0.record, isReferenced: !$0.references.isEmpty, isReleased: $0.releasedAt != nil)
            }
    }

    func inspectContainers(after: ContainerID?, limit: Int) -> [ContainerInspection] {
        containers.filter { id, _ in after.map { $0 < id } ?? true }
            .sorted { $0.key < $1.key }.prefix(max(limit, 0))
            .map { id, row in
                ContainerInspection(
                    id: id, recorded: row.usage, counted: counted(row), recordedReservations: row.reserved,
                    countedReservations: uploads.values.reduce(0) { $0 + ($1.container == id ? $1.reserved : 0) })
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
