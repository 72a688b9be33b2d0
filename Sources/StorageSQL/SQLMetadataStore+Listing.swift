public import StorageCore

/// Reading files.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/file(_:)``.
    public func file(_ selector: FileSelector) async throws -> FileRecord? {
        try await remembering(selector) { try await read { try $0.file(selector)?.record } }
    }

    /// See ``/StorageCore/MetadataStore/list(_:)``.
    public func list(_ query: ListQuery) async throws -> Page<FileRecord> {
        try await read { transaction in
            let (sql, arguments) = query.statement
            let rows = try transaction.session.query(sql, arguments)
            return Page(
                entries: try transaction.records(Array(rows.prefix(query.limit))), hasMore: rows.count > query.limit)
        }
    }

    /// See ``/StorageCore/MetadataStore/search(_:)``.
    public func search(_ query: SearchQuery) async throws -> Stretch<FileRecord> {
        try await read { try $0.search(query) }
    }

    /// See ``/StorageCore/MetadataStore/folderUsage(of:after:limit:)``.
    public func folderUsage(
        of container: ContainerID, after: FilePath?, limit: Int
    ) async throws -> Stretch<FolderUsage> {
        try await read { try $0.folderUsage(of: container, after: after, limit: limit) }
    }

    /// See ``/StorageCore/MetadataStore/revisions(of:limit:)``.
    public func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord]? {
        try await read { try $0.revisions(of: selector, limit: limit) }
    }

    /// See ``/StorageCore/MetadataStore/usage(of:)``.
    public func usage(of container: ContainerID) async throws -> Usage {
        try await read { try $0.usage(of: container) }
    }
}

extension ListQuery {
    /// The page's SELECT: one range of one index, and one row more than the page has, to see whether there is another.
    fileprivate var statement: (sql: String, arguments: [SQLValue]) {
        var conditions = ["f.container_id = $1"]
        var arguments: [SQLValue] = [.id(container)]
        func add(_ condition: String, _ argument: SQLValue) {
            arguments.append(argument)
            conditions.append("\(condition) $\(arguments.count)")
        }
        let prefix: [UInt8]
        switch scope {
        case .files(let given):
            if kind == nil { conditions.append("f.type = 'file'") }
            prefix = given
        case .folder(let folder):
            add("f.depth =", .integer(folder.map { Int64($0.depth) + 1 } ?? 0))
            prefix = folder?.prefix ?? []
        case .tree(let folder):
            prefix = folder.prefix
        }
        if let kind {
            conditions.append("f.type = 'file'")
            add("f.kind =", .text(kind.rawValue))
        }
        if let after, !after.bytes.lexicographicallyPrecedes(prefix) {
            add("f.path >", .path(after))
        } else if !prefix.isEmpty {
            add("f.path >=", .bytes(prefix))
        }
        if let end = Self.successor(of: prefix) { add("f.path <", .bytes(end)) }
        arguments.append(.integer(Int64(limit) + 1))
        let sql = """
            \(StoredFile.selection(.copy)) WHERE \(conditions.joined(separator: " AND ")) \
            ORDER BY f.path LIMIT $\(arguments.count)
            """
        return (sql, arguments)
    }

    /// The least bytes greater than everything that starts with the prefix; nil when there is no such bound.
    private static func successor(of prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 < 0xFF }) else { return nil }
        var bytes = Array(prefix[...last])
        bytes[last] += 1
        return bytes
    }
}
