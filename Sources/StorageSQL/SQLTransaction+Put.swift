import StorageCore

/// New content for a path.
extension SQLTransaction {
    func put(_ put: FileChange.Put) throws -> FileChangeResult {
        let settled = try settle(put.upload, in: put.container)
        let unlimited = try askUnlimited(put.container, defaults: put.limits)
        if let result = try outcome(settled, of: put.upload, in: put.container) { return result }
        let container = try openContainer(put.container, defaults: put.limits, asked: unlimited)
        // Where the limit was lifted meanwhile, the sweeper gives it back.
        if container.isLimited { try release(of: put.upload) }
        let ancestors = try askAncestors(of: [put.path], in: put.container)
        let file = try askFile(at: put.path, in: put.container)
        let blob = try askContent(of: put.blob)
        try makeAncestors(of: put.path, in: put.container, asked: ancestors)
        let existing = try fileToReplace(at: put.path, in: put.container, put.precondition, asked: file)
        let content = try content(of: put.blob, mediaType: put.mediaType, sentName: put.sentName, asked: blob)
        let (current, usage) = try makeCurrent(
            content, of: existing, at: put.path, in: container, kind: put.kind, link: put.link,
            keeping: put.keepRevisions)
        try account(usage, to: container)
        let isNew = existing == nil
        try session.perform(
            "UPDATE uploads SET file_id = $1, created = $2 WHERE id = $3",
            [.id(current.id), .integer(isNew ? 1 : 0), .id(put.upload)])
        let record = try current.record()
        return isNew ? .created(record) : .updated(record)
    }

    /// Marks the upload as committed in this transaction, so that a lost answer can be looked up; no row where it cannot be.
    private func settle(_ upload: UploadID, in container: ContainerID) throws -> any SQLAnswer {
        try session.ask(
            """
            UPDATE uploads SET committed_at = \(dialect.now) \
            WHERE id = $1 AND container_id = $2 AND committed_at IS NULL AND abandoned_at IS NULL RETURNING id
            """, [.id(upload), .id(container)])
    }

    /// What the upload made before; nil where this transaction settled it.
    private func outcome(
        _ settled: any SQLAnswer, of upload: UploadID, in container: ContainerID
    ) throws -> FileChangeResult? {
        guard try settled.rows().isEmpty else { return nil }
        let row = try session.first("SELECT container_id, committed_at FROM uploads WHERE id = $1", [.id(upload)])
        guard let row else { throw BlobLost() }
        guard try row.id(0) == container else { throw StorageError.uploadOfAnotherContainer }
        guard !row.isNull(1) else { throw BlobLost() }
        return try result(ofCommitted: upload)
    }

    /// What a committed upload made, as it is now.
    func result(ofCommitted upload: UploadID) throws -> FileChangeResult {
        let row = try session.first(
            "SELECT created, file_id, container_id FROM uploads WHERE id = $1 AND file_id IS NOT NULL", [.id(upload)])
        guard let row, let file = try file(.id(try row.id(2), try row.id(1))) else { return .deleted(remaining: 0) }
        return try row.optionalInteger(0) == 1 ? .created(file.record) : .updated(file.record)
    }

    /// The file that a new one takes the place of, its condition checked; an empty folder gives way.
    func fileToReplace(
        at path: FilePath, in container: ContainerID, _ precondition: Precondition, asked: (any SQLAnswer)? = nil
    ) throws -> StoredFile? {
        let existing = try lockedFile(.path(container, path), asked: asked)
        guard let existing, existing.record.isFolder else {
            try precondition.check(existing?.record)
            return existing
        }
        try removeEmptyFolder(existing.record)
        try precondition.check(nil)
        return nil
    }

    /// What a blob makes of a revision; the blob is kept from being collected until the end of the transaction.
    ///
    /// - Parameter asked: What ``askContent(of:)`` said of it.
    /// - Throws: ``BlobLost`` when it may not be referred to any more.
    func content(
        of blob: BlobID, mediaType: MediaType, sentName: String?, asked: any SQLAnswer
    ) throws -> RevisionContent {
        let row = try asked.first()
        guard let row else { throw BlobLost() }
        return RevisionContent(
            blob: blob, key: try row.blobKey(0), size: try row.integer(3), mediaType: mediaType, sentName: sentName,
            isReferable: try row.integer(4) == 1)
    }

    func askContent(of blob: BlobID) throws -> any SQLAnswer {
        try session.ask(
            """
            SELECT space, hash, gen, size, CASE WHEN state = 'live' AND released_at IS NULL THEN 1 ELSE 0 END FROM blobs \
            WHERE id = $1 AND state IN ('pending', 'live')\(dialect.forKeyShare)
            """, [.id(blob)])
    }

    /// Makes a revision of the content the current one, or leaves the file alone when it has just that content.
    func makeCurrent(
        _ content: RevisionContent, of existing: StoredFile?, at path: FilePath, in container: OpenContainer,
        kind: FileKind, link: Link?, keeping keep: Int
    ) throws -> (file: CurrentFile, usage: UsageChange) {
        if let existing, existing.has(content) {
            try refer(to: content, changing: [])
            if let link { try publish(link, existing.record.revision?.id, in: container.id) }
            return (.kept(existing.record), UsageChange())
        }
        let replaced = existing?.currentRevision
        let surplus = try existing.map { try surplusRevisions(of: $0, keeping: keep) } ?? []
        var usage = UsageChange(
            bytes: content.size - (replaced?.size ?? 0), files: existing == nil ? 1 : 0,
            revisionBytes: (replaced?.size ?? 0) - surplus.reduce(0) { $0 + $1.size })
        let givingWay = try revisionsGivingWay(to: usage, in: container, going: surplus, replaced: replaced)
        usage.revisionBytes -= givingWay.reduce(0) { $0 + $1.size }
        let pruned = surplus + givingWay
        try refer(to: content, changing: pruned.map(\.blob))
        let revision = RevisionID()
        let file = existing?.record.id ?? FileID()
        let facts = content.facts(of: revision, number: (existing?.revisionNumber ?? 0) + 1)
        let written =
            if existing != nil {
                try askUpdate(of: file, kind: kind, facts)
            } else {
                try askInsert(of: file, at: path, in: container.id, kind: kind, facts)
            }
        try insertCurrentRevision(of: file)
        // First the new link, then the end of the old revision's: a file that is published again keeps the age of its publication.
        if let link { try publish(link, revision, in: container.id) }
        if let replaced { try supersede(replaced.id) }
        try remove(pruned)
        return (.changed(file, written), usage)
    }

    /// The revision is an older one from now on; its public names end.
    private func supersede(_ revision: RevisionID) throws {
        try session.perform("DELETE FROM links WHERE revision_id = $1", [.id(revision)])
        try session.perform(
            "UPDATE revisions SET superseded_at = \(dialect.now) WHERE id = $1", [.id(revision)])
    }

    /// The blob becomes or stays live, and is not to be collected: the reference is made in this transaction.
    ///
    /// One that is live already is only kept, not changed: uploads of the same content do not wait for each other.
    ///
    /// - Parameter others: Blobs that lose a reference; locked together with it, in one order.
    private func refer(to content: RevisionContent, changing others: [BlobID]) throws {
        try lock(Set(others + (content.isReferable ? [] : [content.blob])))
        if !content.isReferable {
            let revived = try session.execute(
                """
                UPDATE blobs SET state = 'live', released_at = NULL, claimed_until = NULL \
                WHERE id = $1 AND state IN ('pending', 'live')
                """, [.id(content.blob)])
            guard revived > 0 else { throw BlobLost() }
        }
        // A corrupt life of the same bytes before this one can only be where this one has a generation.
        if content.key.generation != 0 { try heal(with: content) }
    }

    /// Points every revision of a corrupt life of the same bytes at this one, which was just proved whole: all in this transaction,
    /// or a crash would leave the rest damaged, but row by row, as one statement for thousands can take longer than a busy server
    /// lets a statement run.
    ///
    /// What the rows of their files have of the corrupt blob stays as it is: it is not believed.
    private func heal(with content: RevisionContent) throws {
        let life: [SQLValue] = [.id(content.key.space.id), .bytes(content.key.digest.bytes)]
        while true {
            let damaged = try session.query(
                """
                SELECT r.id FROM revisions r JOIN blobs b ON b.id = r.blob_id \
                WHERE b.space = $1 AND b.hash = $2 AND b.state = 'corrupt' LIMIT \(Self.healSize)
                """, life)
            guard !damaged.isEmpty else { return }
            for revision in damaged {
                try session.perform(
                    "UPDATE revisions SET blob_id = $1 WHERE id = $2",
                    [.id(content.blob), .bytes(try revision.bytes(0))])
            }
        }
    }

    private static let healSize = 1_000

    /// Makes a file; the answer is the row, see ``StoredFile/returning``.
    private func askInsert(
        of file: FileID, at path: FilePath, in container: ContainerID, kind: FileKind, _ facts: [SQLValue]
    ) throws -> any SQLAnswer {
        try session.ask(
            """
            INSERT INTO files (revision_id, copy_of, number, size, media_type, sent_name, blob_id, space, hash, gen, \
            revised_at, id, container_id, path, depth, type, kind, created_at, modified_at) \
            VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, \
            \(dialect.now), $10, $11, $12, $13, 'file', $14, \(dialect.now), \(dialect.now)) \(StoredFile.returning)
            """,
            facts + [
                .id(file), .id(container), .path(path), .integer(Int64(path.depth)), .text(kind.rawValue),
            ])
    }

    /// Gives a file another revision; the answer is the row, see ``StoredFile/returning``.
    private func askUpdate(of file: FileID, kind: FileKind, _ facts: [SQLValue]) throws -> any SQLAnswer {
        try session.ask(
            """
            UPDATE files SET revision_id = $1, copy_of = $1, number = $2, size = $3, media_type = $4, sent_name = $5, \
            blob_id = $6, space = $7, hash = $8, gen = $9, revised_at = \(dialect.now), kind = $10, \
            modified_at = \(dialect.now) WHERE id = $11 \(StoredFile.returning)
            """, facts + [.text(kind.rawValue), .id(file)])
    }

    /// Makes the row of the revision that the row of its file has the facts of: said once, the two are the same.
    private func insertCurrentRevision(of file: FileID) throws {
        try session.perform(
            """
            INSERT INTO revisions \
            (id, file_id, container_id, number, blob_id, size, media_type, sent_name, created_at) \
            SELECT revision_id, id, container_id, number, blob_id, size, media_type, sent_name, revised_at \
            FROM files WHERE id = $1
            """, [.id(file)])
    }

    private func publish(_ link: Link, _ revision: RevisionID?, in container: ContainerID) throws {
        try session.perform(
            """
            INSERT INTO links (kind, key, container_id, revision_id, created_at) \
            VALUES ($1, $2, $3, $4, \(dialect.now)) \
            ON CONFLICT (kind, key, container_id) DO UPDATE SET revision_id = excluded.revision_id
            """, [.text(link.kind.rawValue), .bytes(link.key), .id(container), .optionalID(revision)])
    }
}

/// A revision that is to be removed.
struct StoredRevision {
    let id: RevisionID
    let blob: BlobID
    let size: Int64
}

extension StoredRevision {
    /// Of `revisions`: the columns `id`, `blob_id`, `size`.
    init(_ row: SQLRow) throws {
        self.init(id: try row.id(0), blob: try row.id(1), size: try row.integer(2))
    }
}

extension SQLTransaction {
    /// The revisions that there is no place for once a new one is current.
    private func surplusRevisions(of file: StoredFile, keeping keep: Int) throws -> [StoredRevision] {
        try session.query(
            "SELECT id, blob_id, size FROM revisions WHERE file_id = $1 AND number <= $2",
            [.id(file.record.id), .integer(file.revisionNumber - Int64(max(0, keep)))]
        ).map(StoredRevision.init)
    }

    /// Asks for every revision of a file, the current one included; see ``StoredRevision/init(_:)``.
    func askRevisions(of file: FileID) throws -> any SQLAnswer {
        try session.ask("SELECT id, blob_id, size FROM revisions WHERE file_id = $1", [.id(file)])
    }

    /// Removes revisions with their links and releases their blobs.
    func remove(_ revisions: [StoredRevision]) throws {
        for start in stride(from: 0, to: revisions.count, by: Self.removedAtOnce) {
            let removed = try revisions[start...].prefix(Self.removedAtOnce).map { revision in
                try session.perform("DELETE FROM links WHERE revision_id = $1", [.id(revision.id)])
                // Another upload may have healed it: then it refers to another blob than it did.
                return try session.ask("DELETE FROM revisions WHERE id = $1 RETURNING blob_id", [.id(revision.id)])
            }
            for answer in removed {
                if let row = try answer.first() { try release(try row.id(0)) }
            }
        }
    }

    /// Their answers are kept until the last of them was sent.
    private static let removedAtOnce = 200
}
