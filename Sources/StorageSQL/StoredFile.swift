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
    static let selection = """
        SELECT f.id, f.container_id, f.path, f.type, f.kind, f.created_at, f.modified_at, \
        r.id, r.size, r.media_type, r.sent_name, r.created_at, b.space, b.hash, b.gen, r.number, b.id, b.state \
        FROM files f LEFT JOIN revisions r ON r.id = f.revision_id LEFT JOIN blobs b ON b.id = r.blob_id
        """

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
                try session.first(
                    "\(StoredFile.selection) WHERE f.container_id = $1 AND f.path = $2", [.id(container), .path(path)])
            case .id(let container, let id):
                try session.first(
                    "\(StoredFile.selection) WHERE f.id = $1 AND f.container_id = $2", [.id(id), .id(container)])
            case .link(let link):
                try published(link)
            }
        return try row.map(StoredFile.init)
    }

    /// The oldest publication whose revision is still the current one of its file.
    private func published(_ link: Link) throws -> SQLRow? {
        let file = try session.first(
            """
            SELECT f.id FROM links l JOIN revisions r ON r.id = l.revision_id \
            JOIN files f ON f.id = r.file_id AND f.revision_id = r.id \
            JOIN containers c ON c.id = f.container_id AND c.closed_at IS NULL \
            WHERE l.kind = $1 AND l.key = $2 ORDER BY l.created_at, l.container_id LIMIT 1
            """, [.text(link.kind.rawValue), .bytes(link.key)])
        guard let file else { return nil }
        return try session.first("\(StoredFile.selection) WHERE f.id = $1", [.bytes(try file.bytes(0))])
    }

    /// The file or folder, locked until the end of the transaction.
    func lockedFile(_ selector: FileSelector) throws -> StoredFile? {
        var found = try file(selector)
        guard locksRows else { return found }
        // While the lock was waited for, another file may have come to this place.
        while let seen = found {
            _ = try session.query("SELECT id FROM files WHERE id = $1\(dialect.forUpdate)", [.id(seen.record.id)])
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
