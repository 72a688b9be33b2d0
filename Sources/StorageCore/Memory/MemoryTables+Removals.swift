/// Changes that take entries away or elsewhere: delete, move.
extension MemoryTables {
    mutating func delete(_ selector: FileSelector, _ precondition: Precondition) throws -> FileChangeResult {
        let row = try existing(selector)
        _ = try container(row.container)
        try precondition.check(record(row))
        guard paths(below: row.path, in: row.container).isEmpty else {
            throw StorageError(.folderNotEmpty, "The folder is not empty.")
        }
        remove(row)
        return .deleted(remaining: 0)
    }

    mutating func deleteTree(_ path: FilePath, in container: ContainerID, limit: Int) throws -> FileChangeResult {
        _ = try self.container(container)
        let folder = try existing(.path(container, path))
        guard folder.isFolder else { throw Self.pathConflict("The path is a file.") }
        let below = paths(below: path, in: container)
        for path in below.suffix(max(limit, 0)).reversed() {
            if let row = row(at: path, in: container) { remove(row) }
        }
        let remaining = below.count - min(below.count, max(limit, 0))
        guard remaining == 0 else { return .deleted(remaining: remaining) }
        remove(folder)
        return .deleted(remaining: 0)
    }

    mutating func move(_ relocation: FileChange.Relocation) throws -> FileChangeResult {
        let source = try existing(relocation.source)
        _ = try container(source.container)
        let target = relocation.target
        try relocation.precondition.check(record(source))
        guard target != source.path else { return .updated(record(source)) }
        guard !(source.isFolder && target.isInside(source.path)) else {
            throw Self.pathConflict("A folder cannot be moved into itself.")
        }
        let missing = try missingAncestors(of: target, in: source.container)
        let replaced = row(at: target, in: source.container)
        if let replaced { try checkReplacement(of: replaced, by: source, overwrite: relocation.overwrite) }
        let below = Array(paths(below: source.path, in: source.container))
        guard below.count <= FileChange.largestMove else {
            throw StorageError(
                .unprocessable, "from: a folder with more than \(FileChange.largestMove) entries cannot be moved.")
        }
        let targets = try below.map { try target.appending($0.bytes.dropFirst(source.path.prefix.count)) }
        if let replaced { remove(replaced) }
        makeFolders(missing, in: source.container)
        if !source.isFolder, let kind = relocation.kind { files[source.id]?.kind = kind }
        for (old, new) in zip([source.path] + below, [target] + targets) { rename(old, to: new, in: source.container) }
        return .updated(try record(existing(.id(source.container, source.id))))
    }

    private func checkReplacement(of target: FileRow, by source: FileRow, overwrite: Bool) throws {
        if target.isFolder {
            guard !paths(below: target.path, in: target.container).isEmpty else { return }
            throw source.isFolder ? Self.exists : Self.pathConflict("A folder that is not empty has the target path.")
        }
        guard overwrite else { throw Self.exists }
        guard !source.isFolder else { throw Self.pathConflict("A file has the target path of the folder.") }
    }

    private mutating func rename(_ old: FilePath, to new: FilePath, in container: ContainerID) {
        guard let id = containers[container]?.entries[old] else { return }
        containers[container]?.entries[old] = nil
        containers[container]?.entries[new] = id
        files[id]?.path = new
        files[id]?.modifiedAt = now
    }

    /// Takes an entry with all its revisions away; a folder must be empty.
    mutating func remove(_ row: FileRow) {
        if let current = row.revisions.last.flatMap({ revisions[$0] }) {
            containers[row.container]?.usage.bytes -= current.size
            containers[row.container]?.usage.files -= 1
        }
        for older in row.revisions.dropLast() {
            containers[row.container]?.usage.revisionBytes -= revisions[older]?.size ?? 0
        }
        for revision in row.revisions { remove(revision) }
        files[row.id] = nil
        containers[row.container]?.entries[row.path] = nil
    }

    /// Takes a revision with its links away and notes the moment on the blob that it leaves.
    mutating func remove(_ id: RevisionID) {
        dropLinks(of: id)
        guard let row = revisions.removeValue(forKey: id) else { return }
        blobs[row.blob]?.references.remove(id)
        blobs[row.blob]?.releasedAt = now
    }

    mutating func dropLinks(of revision: RevisionID) {
        for link in revisions[revision]?.links ?? [] {
            links[link]?.removeAll { $0.revision == revision }
            if links[link]?.isEmpty == true { links[link] = nil }
        }
        revisions[revision]?.links = []
    }
}
