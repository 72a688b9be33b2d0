import StorageCore

/// A row of `files` with its current revision, as the transactions work with it.
///
/// The facts of the current revision and of its blob stand in the row of the file too, so that a lookup reads one row. They are a copy;
/// the rows of the revision and of the blob are the origin. The copy is believed where it is of the current revision and of a blob that is
/// not known to be corrupt: all else that can be said of a blob that is referred to never changes. The others are few, and are asked for
/// at the origin (``SQLTransaction/stored(_:)``).
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

    /// Where a query takes the facts of the current revision from.
    enum Source {
        /// The row of the file.
        case copy
        /// The rows of the revision and of its blob.
        case origin
    }

    /// What a row says of the bytes of its revision.
    enum Standing: Int64 {
        case intact
        case damaged
        /// The row is a copy that is not to be believed.
        case doubtful
    }

    /// The SELECT that ``init(_:)`` reads, up to the WHERE.
    static func selection(_ source: Source) -> String {
        switch source {
        case .copy: "SELECT \(columns) FROM files f \(joins)"
        case .origin: "SELECT \(originals(modifiedAt: "f.modified_at")) FROM files f \(originJoins)"
        }
    }

    /// The same of every revision that a file has, as the file was with it.
    static let history = """
        SELECT \(originals(modifiedAt: "r.created_at")) FROM files f \
        JOIN revisions r ON r.file_id = f.id JOIN blobs b ON b.id = r.blob_id
        """

    /// The columns of a copy, with ``joins``.
    static let columns = """
        \(copied.map { "f.\($0)" }.joined(separator: ", ")), \
        CASE WHEN f.copy_of = f.revision_id AND c.id IS NULL THEN 0 ELSE 2 END
        """

    static let joins = "LEFT JOIN blobs c ON c.id = f.blob_id AND c.state = 'corrupt'"

    static let originJoins = "LEFT JOIN revisions r ON r.id = f.revision_id LEFT JOIN blobs b ON b.id = r.blob_id"

    /// Behind an INSERT or UPDATE of `files` that makes a revision of a live blob the current one.
    static let returning = "RETURNING \(copied.joined(separator: ", ")), 0"

    private static let copied = [
        "id", "container_id", "path", "type", "kind", "created_at", "modified_at", "revision_id", "size", "media_type",
        "sent_name", "revised_at", "space", "hash", "gen", "number", "blob_id",
    ]

    /// Of copies that are to be believed, those that are not what their origin says: there are none.
    static func isMiscopied(_ dialect: SQLDialect) -> String {
        """
        f.copy_of = f.revision_id AND ((f.number, f.size, f.media_type, f.sent_name, f.revised_at, f.space, f.hash) \
        \(dialect.isDistinct) (r.number, r.size, r.media_type, r.sent_name, r.created_at, b.space, b.hash) \
        OR c.id IS NULL AND (f.blob_id, f.gen) \(dialect.isDistinct) (b.id, b.gen))
        """
    }

    private static func originals(modifiedAt: String) -> String {
        """
        f.id, f.container_id, f.path, f.type, f.kind, f.created_at, \(modifiedAt), r.id, r.size, r.media_type, \
        r.sent_name, r.created_at, b.space, b.hash, b.gen, r.number, b.id, CASE WHEN b.state = 'live' THEN 0 ELSE 1 END
        """
    }

    /// Reads a row; nil for a copy that is not to be believed.
    init?(_ row: SQLRow) throws {
        let entry: FileRecord.Entry
        if row.isNull(7) {
            entry = .folder
            revisionNumber = 0
            blob = nil
        } else {
            let standing = Standing(rawValue: try row.integer(17)) ?? .doubtful
            guard standing != .doubtful else { return nil }
            let size = try row.integer(8)
            guard size >= 0 else { throw SQLError(.damaged, "a file of \(size) bytes") }
            entry = .file(
                Revision(
                    id: try row.id(7), blob: try row.blobKey(12), size: size,
                    mediaType: MediaType(stored: try row.text(9)), sentName: try row.optionalText(10),
                    createdAt: try row.time(11), isIntact: standing == .intact))
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
        try row(selector, .copy).flatMap(stored)
    }

    /// The row of a file or folder.
    func row(_ selector: FileSelector, _ source: StoredFile.Source) throws -> SQLRow? {
        switch (selector, source) {
        case (.path(let container, let path), .copy):
            try askFile(at: path, in: container).first()
        case (.path(let container, let path), .origin):
            try session.first(
                "\(StoredFile.selection(.origin)) WHERE f.container_id = $1 AND f.path = $2",
                [.id(container), .path(path)])
        case (.id(let container, let id), _):
            try session.first(
                "\(StoredFile.selection(source)) WHERE f.id = $1 AND f.container_id = $2", [.id(id), .id(container)])
        case (.revision(let container, let id, let revision), _):
            try session.first(
                "\(StoredFile.history) WHERE f.id = $1 AND f.container_id = $2 AND r.id = $3",
                [.id(id), .id(container), .id(revision)])
        case (.link(let link), _):
            try published(link, source)
        }
    }

    /// What a row says, or where that is not to be believed, what its origin says.
    ///
    /// - Returns: nil where the file has gone since.
    func stored(_ row: SQLRow) throws -> StoredFile? {
        try StoredFile(row) ?? askOrigin(of: row).first().flatMap(StoredFile.init)
    }

    /// The records of rows, in their order; without those of files that have gone since.
    func records(_ rows: [SQLRow]) throws -> [FileRecord] {
        // All that have to be asked for are, before the first answer is waited for.
        let files = try rows.map { row -> (known: StoredFile?, answer: (any SQLAnswer)?) in
            if let file = try StoredFile(row) { return (file, nil) }
            return (nil, try askOrigin(of: row))
        }
        return try files.compactMap { file in
            try file.known?.record ?? file.answer?.first().flatMap(StoredFile.init)?.record
        }
    }

    private func askOrigin(of row: SQLRow) throws -> any SQLAnswer {
        try session.ask(
            "\(StoredFile.selection(.origin)) WHERE f.id = $1 AND f.container_id = $2",
            [.bytes(try row.bytes(0)), .bytes(try row.bytes(1))])
    }

    func askFile(at path: FilePath, in container: ContainerID) throws -> any SQLAnswer {
        try session.ask(SQLLookup.fileByPath.single, [.id(container), .path(path)])
    }

    /// The oldest publication whose revision is still the current one of its file.
    private func published(_ link: Link, _ source: StoredFile.Source) throws -> SQLRow? {
        try session.first(
            """
            \(StoredFile.selection(source)) WHERE f.id = (SELECT g.id FROM links l JOIN revisions s ON s.id = l.revision_id \
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
        var found = try asked.map { try $0.first().flatMap(stored) } ?? file(selector)
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
