/// Questions for revisions, and walks through a container.
extension MemoryTables {
    /// The entry that is meant, as callers see it.
    func record(_ selector: FileSelector) -> FileRecord? {
        guard let row = row(selector) else { return nil }
        guard case .revision(_, _, let revision) = selector else { return record(row) }
        return row.revisions.contains(revision) ? record(row, with: revision) : nil
    }

    func revisions(of selector: FileSelector, limit: Int) -> [FileRecord]? {
        row(selector).map { row in row.revisions.reversed().prefix(max(limit, 0)).compactMap { record(row, with: $0) } }
    }

    private func record(_ row: FileRow, with id: RevisionID) -> FileRecord? {
        revisions[id].flatMap { revision($0) }.map { revision in
            FileRecord(
                id: row.id, container: row.container, path: row.path, entry: .file(revision), kind: row.kind,
                createdAt: row.createdAt, modifiedAt: revision.createdAt)
        }
    }

    func search(_ query: SearchQuery) -> Stretch<FileRecord> {
        let below = query.folder.map { paths(below: $0, in: query.container) }
        let (stretch, end) = Self.stretch(
            below ?? paths(startingWith: [], in: query.container), after: query.after, limit: query.stretch)
        var found: [FileRecord] = []
        for path in stretch where query.selects(path.name) {
            guard let row = row(at: path, in: query.container), !row.isFolder else { continue }
            found.append(record(row))
            if found.count >= query.limit { return Stretch(entries: found, end: path) }
        }
        return Stretch(entries: found, end: end)
    }

    func folderUsage(of container: ContainerID, after: FilePath?, limit: Int) -> Stretch<FolderUsage> {
        let (stretch, end) = Self.stretch(paths(startingWith: [], in: container), after: after, limit: limit)
        var folders = SortedMap<FilePath, FolderUsage>()
        for path in stretch {
            guard let row = row(at: path, in: container) else { continue }
            guard let folder = path.ancestors.first ?? (row.isFolder ? path : nil) else { continue }
            var usage = folders[folder] ?? FolderUsage(folder: folder)
            if let current = row.revisions.last.flatMap({ revisions[$0] }) {
                usage.bytes += current.size
                usage.files += 1
            }
            folders[folder] = usage
        }
        return Stretch(entries: folders.keys.compactMap { folders[$0] }, end: end)
    }

    /// The next so many paths, and where they end if there are as many.
    private static func stretch(
        _ paths: ArraySlice<FilePath>, after: FilePath?, limit: Int
    ) -> (ArraySlice<FilePath>, end: FilePath?) {
        let rest = after.map { after in paths.drop { $0 <= after } } ?? paths
        let stretch = rest.prefix(max(limit, 1))
        return (stretch, stretch.count == max(limit, 1) ? stretch.last : nil)
    }
}
