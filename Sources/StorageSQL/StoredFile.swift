import StorageCore

/// A row of `files` with its current revision, as the transactions work with it.
struct StoredFile {
    let record: FileRecord
    /// The number of the current revision; 0 for a folder.
    let revisionNumber: Int64
    /// The blob of the current revision; nil for a folder.
    let blob: BlobID?

    /// The current revision as far as it may have to be removed; nil for a folder.
    var currentRevision: StoredRevision? {
        guard let revision = record.revision, let blob else { return nil }
        return StoredRevision(id: revision.id, blob: blob, size: revision.size)
    }

    /// The SELECT that ``init(_:)`` reads, up to the WHERE.
    static let selection = "SELECT \(columns) FROM files f \(joins)"

    static let columns = """
        f.id, f.container_id, f.path, f.type, f.kind, f.created_at, f.modified_at, \
        r.id, r.size, r.media_type, r.sent_name, r.created_at, b.space, b.hash, b.gen, r.number, b.id, b.state
        """
    static let joins =
        "LEFT JOIN revisions r ON r.id = f.revision_id LEFT JOIN blobs b ON b.id = r.blob_id"

    init(_ row: SQLRow) throws {
        let entry: FileRecord.Entry
        if row.isNull(7) {
            entry = .folder
            revisionNumber = 0
            blob = nil
        } else {
            entry = .file(
                Revision(
                    id: try row.id(7), blob: try row.blobKey(12), size: try row.integer(8),
                    mediaType: MediaType(stored: try row.text(9)), sentName: try row.optionalText(10),
                    createdAt: try row.time(11), isIntact: try row.word(17, of: BlobRecord.State.self) == .live))
            revisionNumber = try row.integer(15)
            blob = try row.id(16)
        }
        record = FileRecord(
            id: try row.id(0), container: try row.id(1), path: FilePath(stored: try row.bytes(2)), entry: entry,
            kind: try row.word(4), createdAt: try row.time(5), modifiedAt: try row.time(6))
    }
}

extension SQLTransaction {
    func file(_ selector: FileSelector) throws -> StoredFile? {
        let row =
            switch selector {
            case .path(let container, let path):
                try askFile(at: path, in: container).first()
            case .id(let container, let id):
                try session.first(
                    "\(StoredFile.selection) WHERE f.id = $1 AND f.container_id = $2", [.id(id), .id(container)])
            case .link(let link):
                try published(link)
            }
        return try row.map(StoredFile.init)
    }

    func askFile(at path: FilePath, in container: ContainerID) throws -> any SQLAnswer {
        try session.ask(SQLLookup.fileByPath.single, [.id(container), .path(path)])
    }

    /// The oldest publication whose revision is still the current one of its file.
    private func published(_ link: Link) throws -> SQLRow? {
        try session.first(
            """
            \(StoredFile.selection) WHERE f.id = (SELECT g.id FROM links l JOIN revisions s ON s.id = l.revision_id \
            JOIN files g ON g.id = s.file_id AND g.revision_id = s.id \
            JOIN containers c ON c.id = g.container_id AND c.closed_at IS NULL \
            WHERE l.kind = $1 AND l.key = $2 ORDER BY l.created_at, l.container_id LIMIT 1)
            """, [.text(link.kind.rawValue), .bytes(link.key)])
    }

    /// The file or folder with everything above it, and above a path where it is to go, locked until the end of the transaction.
    func lockedEntry(_ selector: FileSelector, goingTo target: FilePath? = nil) throws -> StoredFile? {
        var found = try file(selector)
        guard locksRows else { return found }
        while let seen = found?.record {
            let paths = [seen.path] + (target.map { [$0] } ?? [])
            _ = try askAncestors(of: paths, in: seen.container)
            for path in paths.sorted() {
                try session.perform(
                    "SELECT id FROM files WHERE container_id = $1 AND path = $2\(dialect.forUpdate)",
                    [.id(seen.container), .path(path)])
            }
            // While the locks were waited for, it may have moved, or another file may have come to this place.
            found = try file(selector)
            if found?.record.id == seen.id, found?.record.path == seen.path { return found }
        }
        return nil
    }

    /// The file or folder, locked until the end of the transaction; what is above it is locked already.
    ///
    /// - Parameter asked: What ``askFile(at:in:)`` said of it, if that was asked.
    func lockedFile(_ selector: FileSelector, asked: (any SQLAnswer)? = nil) throws -> StoredFile? {
        var found = try asked.map { try $0.first().map(StoredFile.init) } ?? file(selector)
        guard locksRows else { return found }
        // While the lock was waited for, another file may have come to this place.
        while let seen = found {
            try session.perform("SELECT id FROM files WHERE id = $1\(dialect.forUpdate)", [.id(seen.record.id)])
            found = try file(selector)
            if found?.record.id == seen.record.id { return found }
        }
        return nil
    }

    /// Whether anything lies below a folder.
    func hasEntries(below folder: FilePath, in container: ContainerID) throws -> Bool {
        try session.exists(
            "SELECT 1 FROM files WHERE container_id = $1 AND path >= $2 AND path < $3 LIMIT 1",
            [.id(container), .bytes(folder.prefix), .bytes(folder.successor)])
    }
}

extension FilePath {
    /// The least bytes that are greater than every path below this folder: `0` is the byte after `/`.
    var successor: [UInt8] { bytes + [UInt8(ascii: "/") + 1] }
}
