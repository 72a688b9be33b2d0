import StorageCore

/// Folders, and taking entries out of the tree.
extension SQLTransaction {
    func makeFolder(_ container: ContainerID, _ path: FilePath) throws -> FileChangeResult {
        _ = try openContainer(container)
        try makeAncestors(of: path, in: container)
        let selector = FileSelector.path(container, path)
        if let existing = try file(selector) {
            guard existing.record.isFolder else {
                throw StorageError(.pathConflict, "\(path) is a file already.")
            }
            return .updated(existing.record)
        }
        try insertFolder(path, in: container)
        guard let made = try file(selector) else { throw SQLError(.other, "a row just written is missing") }
        return .created(made.record)
    }

    func delete(_ selector: FileSelector, _ precondition: Precondition) throws -> FileChangeResult {
        guard let seen = try file(selector) else { throw StorageError.noSuchFile }
        let container = try openContainer(seen.record.container)
        guard let target = try lockedEntry(selector) else { throw StorageError.noSuchFile }
        try precondition.check(target.record)
        if target.record.isFolder, try hasEntries(below: target.record.path, in: target.record.container) {
            throw StorageError(
                .folderNotEmpty, "\(target.record.path) is a folder with entries; delete it with recursive=true.")
        }
        let usage = try remove([target.record])
        try account(usage, to: container)
        return .deleted(remaining: 0)
    }

    func deleteTree(_ id: ContainerID, _ path: FilePath, limit: Int) throws -> FileChangeResult {
        let container = try openContainer(id)
        guard let root = try lockedEntry(.path(id, path)) else { throw StorageError.noSuchFile }
        guard root.record.isFolder else { throw StorageError(.pathConflict, "\(path) is a file.") }
        // From the last path to the first, so that a folder comes after everything below it.
        let entries = try records(
            session.query(
                """
                \(StoredFile.selection(.copy)) WHERE f.container_id = $1 AND f.path >= $2 AND f.path < $3 \
                ORDER BY f.path DESC LIMIT $4
                """, [.id(id), .bytes(path.prefix), .bytes(path.successor), .integer(Int64(limit) + 1)]))
        let isFinished = entries.count <= limit
        let usage = try remove(isFinished ? entries + [root.record] : Array(entries.prefix(limit)))
        try account(usage, to: container)
        return .deleted(remaining: isFinished ? 0 : 1)
    }

    /// Removes entries, each before the folders above it, and says how the usage of their container moves.
    func remove(_ entries: [FileRecord]) throws -> UsageChange {
        let asked = try entries.map { try askRevisions(of: $0.id) }
        let revisions = try asked.map { try $0.rows().map(StoredRevision.init) }
        try lock(Set(revisions.joined().map(\.blob)))
        try remove(Array(revisions.joined()))
        let gone = try entries.map { try session.ask("DELETE FROM files WHERE id = $1 RETURNING id", [.id($0.id)]) }
        return try zip(entries, zip(revisions, gone)).reduce(UsageChange()) { usage, removed in
            let (entry, (revisions, gone)) = removed
            guard try !gone.rows().isEmpty, let current = entry.revision else { return usage }
            let all = revisions.reduce(0) { $0 + $1.size }
            return usage + UsageChange(bytes: -current.size, files: -1, revisionBytes: current.size - all)
        }
    }
}
