import StorageCore

/// Walks through a container, a stretch at a time: one range of the index of the paths each, of a known number of entries.
extension SQLTransaction {
    func search(_ query: SearchQuery) throws -> Stretch<FileRecord> {
        try session.asksSeveralQuestions()
        let whole = PathRange(of: query.container, below: query.folder, after: query.after)
        let end = try end(of: whole, limit: query.stretch)
        var range = PathRange(of: query.container, below: query.folder, after: query.after, through: end)
        range.conditions.append("f.type = 'file'")
        // The database leaves out most of what is not meant, but not all: a folder's name may have the text as well.
        if !query.text.isEmpty {
            range.conditions.append("\(dialect.place(range.parameter(.bytes(query.text)), "f.path")) > 0")
        }
        if let suffix = query.suffix {
            let length = range.parameter(.integer(Int64(suffix.count)))
            let dot = range.parameter(.bytes([UInt8(ascii: ".")]))
            range.conditions.append(
                "substr(f.path, length(f.path) - CAST(CAST(\(length) AS BIGINT) AS INTEGER), 1) = \(dot)")
        }
        let limit = max(query.limit, 1)
        let count = range.parameter(.integer(Int64(limit)))
        let rows = try session.query(
            "\(StoredFile.selection(.copy)) WHERE \(range.condition) ORDER BY f.path LIMIT \(count)",
            range.arguments)
        // As many rows as were asked for, whatever became of their files: there may be more before the end.
        let reached: FilePath? =
            if rows.count == limit, let last = rows.last { FilePath(stored: try last.bytes(2)) } else { end }
        return Stretch(entries: try records(rows).filter { query.selects($0.path.name) }, end: reached)
    }

    func folderUsage(of container: ContainerID, after: FilePath?, limit: Int) throws -> Stretch<FolderUsage> {
        try session.asksSeveralQuestions()
        let end = try end(of: PathRange(of: container, after: after), limit: limit)
        var range = PathRange(behind: [.bytes([UInt8(ascii: "/")])], of: container, after: after, through: end)
        range.conditions.append("(f.depth > 0 OR f.type = 'folder')")
        // Where the row does not tell the size, it is looked up: joined, a planner may read all revisions that there are.
        let folders = try session.query(
            """
            SELECT e.folder, CAST(COALESCE(SUM(e.size), 0) AS BIGINT), COUNT(e.revision_id) FROM (\
            SELECT CASE WHEN f.depth = 0 THEN f.path \
            ELSE substr(f.path, 1, \(dialect.place("$1", "f.path")) - 1) END AS folder, f.revision_id, \
            CASE WHEN f.copy_of = f.revision_id THEN f.size \
            ELSE (SELECT r.size FROM revisions r WHERE r.id = f.revision_id) END AS size \
            FROM files f WHERE \(range.condition)) AS e GROUP BY e.folder ORDER BY e.folder
            """, range.arguments)
        return Stretch(
            entries: try folders.map { row in
                FolderUsage(
                    folder: FilePath(stored: try row.bytes(0)), bytes: try row.integer(1), files: try row.integer(2))
            }, end: end)
    }

    func revisions(of selector: FileSelector, limit: Int) throws -> [FileRecord]? {
        guard let file = try file(selector) else { return nil }
        return try records(
            session.query(
                "\(StoredFile.history) WHERE f.id = $1 ORDER BY r.number DESC LIMIT $2",
                [.id(file.record.id), .integer(Int64(max(limit, 0)))]))
    }

    /// What a container holds by the rows of its files, and how many of those say something else of their current revision than that, or
    /// its blob, says itself.
    func inspectFiles(of container: ContainerID) throws -> (usage: Usage, miscopied: Int) {
        var usage = Usage()
        var miscopied: Int64 = 0
        var last: FilePath?
        while true {
            let end = try end(of: PathRange(of: container, after: last), limit: Self.inspectedAtOnce)
            let range = PathRange(of: container, after: last, through: end)
            let held = try session.first(
                """
                SELECT CAST(COALESCE(SUM(CASE WHEN f.revision_id = r.id THEN r.size ELSE 0 END), 0) AS BIGINT), \
                CAST(COALESCE(SUM(CASE WHEN f.revision_id = r.id THEN 1 ELSE 0 END), 0) AS BIGINT), \
                CAST(COALESCE(SUM(CASE WHEN f.revision_id = r.id THEN 0 ELSE r.size END), 0) AS BIGINT) \
                FROM files f JOIN revisions r ON r.file_id = f.id WHERE \(range.condition)
                """, range.arguments)
            if let held {
                usage.bytes += try held.integer(0)
                usage.files += try held.integer(1)
                usage.revisionBytes += try held.integer(2)
            }
            let row = try session.first(
                """
                SELECT COUNT(*) FROM files f \(StoredFile.joins) \(StoredFile.originJoins) \
                WHERE \(range.condition) AND \(StoredFile.isMiscopied(dialect))
                """, range.arguments)
            miscopied += try row?.integer(0) ?? 0
            guard end != nil else { return (usage, Int(miscopied)) }
            last = end
        }
    }

    /// Each of them is five look-ups, and more for older revisions.
    private static let inspectedAtOnce = 5_000

    /// Where a stretch of so many entries ends; nil when there are fewer.
    private func end(of range: PathRange, limit: Int) throws -> FilePath? {
        var range = range
        let offset = range.parameter(.integer(Int64(max(limit, 1)) - 1))
        let row = try session.first(
            "SELECT f.path FROM files f WHERE \(range.condition) ORDER BY f.path LIMIT 1 OFFSET \(offset)",
            range.arguments)
        return try row.map { FilePath(stored: try $0.bytes(0)) }
    }
}

/// A part of the entries of a container, as the condition of a query.
private struct PathRange {
    var conditions: [String] = []
    private(set) var arguments: [SQLValue]

    /// What lies below a folder, or anywhere, behind a path and up to another one.
    ///
    /// - Parameter arguments: Parameters that the query has before.
    init(
        behind arguments: [SQLValue] = [], of container: ContainerID, below folder: FilePath? = nil, after: FilePath?,
        through end: FilePath? = nil
    ) {
        self.arguments = arguments
        conditions.append("f.container_id = \(parameter(.id(container)))")
        // No path is that of the folder with a slash behind it.
        let start = [folder?.prefix, after?.bytes].compactMap { $0 }.max { $0.lexicographicallyPrecedes($1) }
        if let start { conditions.append("f.path > \(parameter(.bytes(start)))") }
        if let end {
            conditions.append("f.path <= \(parameter(.path(end)))")
        } else if let folder {
            conditions.append("f.path < \(parameter(.bytes(folder.successor)))")
        }
    }

    /// The conditions as one.
    var condition: String { conditions.joined(separator: " AND ") }

    /// The name of a further parameter.
    mutating func parameter(_ value: SQLValue) -> String {
        arguments.append(value)
        return "$\(arguments.count)"
    }
}
