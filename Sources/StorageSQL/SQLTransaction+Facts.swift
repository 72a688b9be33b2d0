import StorageCore

/// Filling the facts of current revisions into the rows of files that versions without them wrote.
extension SQLTransaction {
    /// The row of `settings` that says how far this has come: the last file that was looked at, or ``filled``.
    private static let progress = "files.facts"
    private static let filled = "filled"

    /// Fills the next rows, by id. Each file is looked at once in the life of a database, by whichever process comes to it.
    ///
    /// A row that somebody is writing at this moment is left as it is: nobody waits for this, and a lookup does without.
    ///
    /// - Returns: Whether there may be more.
    func fillFacts(limit: Int) throws -> Bool {
        let reached = try session.first("SELECT value FROM settings WHERE key = $1", [.text(Self.progress)])?.text(0)
        guard reached != Self.filled else { return false }
        let start = reached.flatMap { FileID(text: $0.utf8) }?.bytes ?? []
        let files = try session.query(
            "SELECT id FROM files WHERE id > $1 ORDER BY id LIMIT $2", [.bytes(start), .integer(Int64(limit))])
        guard let last = try files.last?.id(0) as FileID? else {
            try setProgress(Self.filled)
            return false
        }
        try session.perform(
            """
            UPDATE files SET copy_of = r.id, number = r.number, size = r.size, media_type = r.media_type, \
            sent_name = r.sent_name, revised_at = r.created_at, blob_id = b.id, space = b.space, hash = b.hash, gen = b.gen \
            FROM revisions r JOIN blobs b ON b.id = r.blob_id WHERE r.id = files.revision_id AND files.id IN \
            (SELECT id FROM files WHERE id > $1 AND id <= $2 AND type = 'file' AND (copy_of IS NULL OR copy_of <> revision_id)\
            \(dialect.forNoKeyUpdate)\(dialect.skipLocked))
            """, [.bytes(start), .id(last)])
        try setProgress("\(last)")
        return true
    }

    private func setProgress(_ value: String) throws {
        try session.perform(
            """
            INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value
            """, [.text(Self.progress), .text(value)])
    }
}
