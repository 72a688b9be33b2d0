import StorageCore

/// Moving and copying.
extension SQLTransaction {
    func move(_ move: FileChange.Relocation) throws -> FileChangeResult {
        guard let seen = try file(move.source) else { throw StorageError.noSuchFile }
        let container = try openContainer(seen.record.container, defaults: move.limits)
        guard let source = try lockedEntry(move.source, goingTo: move.target) else { throw StorageError.noSuchFile }
        try move.precondition.check(source.record)
        guard source.record.path != move.target else { return .updated(source.record) }
        guard !(source.record.isFolder && move.target.isInside(source.record.path)) else {
            throw StorageError(.pathConflict, "A folder cannot be moved into itself.")
        }
        try makeAncestors(of: move.target, in: container.id)
        let usage = try clear(move.target, for: source.record, overwrite: move.overwrite)
        if source.record.isFolder { try moveEntries(below: source.record, to: move.target) }
        let kind = source.record.isFolder ? source.record.kind : move.kind ?? source.record.kind
        try session.perform(
            """
            UPDATE files SET path = $1, depth = $2, kind = $3, modified_at = \(dialect.now) WHERE id = $4
            """,
            [
                .path(move.target), .integer(Int64(move.target.depth)),
                .text(kind.rawValue), .id(source.record.id),
            ])
        try account(usage, to: container)
        return .updated(try record(source.record.id, in: container.id))
    }

    func copy(_ copy: FileChange.Relocation) throws -> FileChangeResult {
        guard let seen = try file(copy.source) else { throw StorageError.noSuchFile }
        let container = try openContainer(seen.record.container, defaults: copy.limits)
        guard let source = try lockedEntry(copy.source, goingTo: copy.target) else { throw StorageError.noSuchFile }
        guard let revision = source.record.revision, let blob = source.blob else {
            throw StorageError(.unprocessable, "from: is a folder; its entries are copied one by one.")
        }
        try copy.precondition.check(source.record)
        guard source.record.path != copy.target else { return .updated(source.record) }
        try makeAncestors(of: copy.target, in: container.id)
        let existing = try fileToReplace(at: copy.target, in: container.id, .none)
        guard existing == nil || copy.overwrite else { throw StorageError.targetExists(copy.target) }
        let (file, usage) = try referring(to: source.record) {
            let content = try content(
                of: blob, mediaType: revision.mediaType, sentName: revision.sentName, asked: askContent(of: blob))
            return try makeCurrent(
                content, of: existing, at: copy.target, in: container, kind: copy.kind ?? source.record.kind,
                link: nil, keeping: copy.keepRevisions)
        }
        try account(usage, to: container)
        let made = try file.record()
        return existing == nil ? .created(made) : .updated(made)
    }

    /// A copy whose blob is not live cannot be made: there are no bytes that would help.
    private func referring<Value>(to source: FileRecord, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch is BlobLost {
            throw StorageError(.corrupt, "The bytes of \(source.path) are damaged and cannot be copied.")
        }
    }

    /// Makes the target of a move free, or refuses.
    private func clear(_ target: FilePath, for source: FileRecord, overwrite: Bool) throws -> UsageChange {
        guard let existing = try lockedFile(.path(source.container, target)) else { return UsageChange() }
        if existing.record.isFolder {
            if source.isFolder, try hasEntries(below: target, in: source.container) {
                throw StorageError.targetExists(target)
            }
            try removeEmptyFolder(existing.record)
            return UsageChange()
        }
        guard overwrite else { throw StorageError.targetExists(target) }
        guard !source.isFolder else { throw StorageError.fileInTheWay(target) }
        return try remove([existing.record])
    }

    private func moveEntries(below folder: FileRecord, to target: FilePath) throws {
        let entries = try session.query(
            "SELECT id, path FROM files WHERE container_id = $1 AND path >= $2 AND path < $3 ORDER BY path LIMIT $4",
            [
                .id(folder.container), .bytes(folder.path.prefix), .bytes(folder.path.successor),
                .integer(Int64(FileChange.largestMove) + 1),
            ])
        guard entries.count <= FileChange.largestMove else {
            throw StorageError(
                .unprocessable,
                "from: has more than \(FileChange.largestMove) entries; move the folders below it one by one.")
        }
        for entry in entries {
            let path = try FilePath(target.bytes + entry.bytes(1).dropFirst(folder.path.bytes.count))
            try session.perform(
                "UPDATE files SET path = $1, depth = $2, modified_at = \(dialect.now) WHERE id = $3",
                [.path(path), .integer(Int64(path.depth)), .bytes(try entry.bytes(0))])
        }
    }
}

extension StorageError {
    fileprivate static func targetExists(_ path: FilePath) -> StorageError {
        StorageError(.exists, "\(path) exists already; a file is replaced only with \"overwrite\": true.")
    }
}
