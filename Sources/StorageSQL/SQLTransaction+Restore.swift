import StorageCore

/// Older revisions that become current ones again.
extension SQLTransaction {
    func restore(_ restoration: FileChange.Restoration) throws -> FileChangeResult {
        let container = try openContainer(restoration.container, defaults: restoration.limits)
        guard let file = try lockedEntry(.id(restoration.container, restoration.file)) else {
            throw StorageError.noSuchFile
        }
        // Whoever prunes a revision holds the lock of its file, or of a container with a limit.
        let old = try session.first(
            "SELECT blob_id, media_type, sent_name FROM revisions WHERE id = $1 AND file_id = $2",
            [.id(restoration.revision), .id(restoration.file)])
        guard let old else { throw StorageError.noSuchRevision }
        try restoration.precondition.check(file.record)
        guard file.record.revision?.id != restoration.revision else { return .updated(file.record) }
        let blob: BlobID = try old.id(0)
        do {
            let mediaType = MediaType(stored: try old.text(1))
            let content = try content(
                of: blob, mediaType: mediaType, sentName: try old.optionalText(2),
                asked: askContent(of: blob))
            let (current, usage) = try makeCurrent(
                content, of: file, at: file.record.path, in: container,
                kind: FileKind(name: file.record.path.name, mediaType: mediaType), link: nil,
                keeping: restoration.keepRevisions)
            try account(usage, to: container)
            return .updated(try current.record())
        } catch is BlobLost {
            throw StorageError.corruptRevision
        }
    }
}
