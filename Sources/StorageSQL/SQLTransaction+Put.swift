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
        let (made, usage) = try makeCurrent(
            content, of: existing, at: put.path, in: container, kind: put.kind, link: put.link,
            keeping: put.keepRevisions)
        try account(usage, to: container)
        let isNew = existing == nil
        try session.perform(
            "UPDATE uploads SET file_id = $1, created = $2 WHERE id = $3",
            [.id(made.id), .integer(isNew ? 1 : 0), .id(put.upload)])
        let record = try record(made.id, in: put.container)
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
            try precondition.check(existing?.record.revision)
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
            blob: blob, size: try row.integer(0), mediaType: mediaType, sentName: sentName,
            generation: try row.integer(1), isReferable: try row.integer(2) == 1)
    }

    func askContent(of blob: BlobID) throws -> any SQLAnswer {
        try session.ask(
            """
            SELECT size, gen, CASE WHEN state = 'live' AND released_at IS NULL THEN 1 ELSE 0 END FROM blobs \
            WHERE id = $1 AND state IN ('pending', 'live')\(dialect.forKeyShare)
            """, [.id(blob)])
    }

    /// Makes a revision of the content the current one, or leaves the file alone when it has just that content.
    func makeCurrent(
        _ content: RevisionContent, of existing: StoredFile?, at path: FilePath, in container: OpenContainer,
        kind: FileKind, link: Link?, keeping keep: Int
    ) throws -> (file: (id: FileID, revision: RevisionID?), usage: UsageChange) {
        if let existing, try isCurrent(content, in: existing) {
            try refer(to: content, changing: [])
            if let link { try publish(link, existing.record.revision?.id, in: container.id) }
            return ((existing.record.id, existing.record.revision?.id), UsageChange())
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
        if existing != nil {
            try session.perform(
                "UPDATE files SET revision_id = $1, kind = $2, modified_at = \(dialect.now) WHERE id = $3",
                [.id(revision), .text(kind.rawValue), .id(file)])
        } else {
            try session.perform(
                """
                INSERT INTO files \
                (id, container_id, path, depth, type, revision_id, kind, created_at, modified_at) \
                VALUES ($1, $2, $3, $4, 'file', $5, $6, \(dialect.now), \(dialect.now))
                """,
                [
                    .id(file), .id(container.id), .path(path), .integer(Int64(path.depth)), .id(revision),
                    .text(kind.rawValue),
                ])
        }
        try insert(content, as: revision, number: (existing?.revisionNumber ?? 0) + 1, of: file, in: container.id)
        // First the new link, then the end of the old revision's: a file that is published again keeps the age of its publication.
        if let link { try publish(link, revision, in: container.id) }
        if let replaced { try supersede(replaced.id) }
        try remove(pruned)
        return ((file, revision), usage)
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
        if content.generation != 0 { try heal(with: content.blob) }
    }

    /// Points every revision of a corrupt life of the same bytes at this one, which was just proved whole: all in this transaction,
    /// or a crash would leave the rest damaged, but row by row, as one statement for thousands can take longer than a busy server
    /// lets a statement run.
    private func heal(with blob: BlobID) throws {
        guard let row = try session.first("SELECT space, hash FROM blobs WHERE id = $1", [.id(blob)]) else { return }
        let life: [SQLValue] = [.bytes(try row.bytes(0)), .bytes(try row.bytes(1))]
        while true {
            let damaged = try session.query(
                """
                SELECT r.id FROM revisions r JOIN blobs b ON b.id = r.blob_id \
                WHERE b.space = $1 AND b.hash = $2 AND b.state = 'corrupt' LIMIT \(Self.healSize)
                """, life)
            guard !damaged.isEmpty else { return }
            for revision in damaged {
                try session.perform(
                    "UPDATE revisions SET blob_id = $1 WHERE id = $2", [.id(blob), .bytes(try revision.bytes(0))])
            }
        }
    }

    private static let healSize = 1_000

    private func isCurrent(_ content: RevisionContent, in file: StoredFile) throws -> Bool {
        guard let revision = file.record.revision, revision.mediaType == content.mediaType,
            revision.sentName.map({ Array($0.utf8) }) == content.sentName.map({ Array($0.utf8) })
        else { return false }
        return try session.exists(
            "SELECT 1 FROM revisions WHERE id = $1 AND blob_id = $2", [.id(revision.id), .id(content.blob)])
    }

    private func insert(
        _ content: RevisionContent, as id: RevisionID, number: Int64, of file: FileID, in container: ContainerID
    ) throws {
        try session.perform(
            """
            INSERT INTO revisions \
            (id, file_id, container_id, number, blob_id, size, media_type, sent_name, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \(dialect.now))
            """,
            [
                .id(id), .id(file), .id(container), .integer(number), .id(content.blob), .integer(content.size),
                .text(content.mediaType.description), .optionalText(content.sentName),
            ])
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

/// What a new revision is to hold.
struct RevisionContent {
    let blob: BlobID
    let size: Int64
    let mediaType: MediaType
    let sentName: String?
    /// Of the blob: 0 for the first life of its bytes.
    let generation: Int64
    /// Whether the blob is live and referred to, as far as is known: it needs no change to be referred to once more.
    let isReferable: Bool
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
        let removed = try revisions.map { revision in
            try session.perform("DELETE FROM links WHERE revision_id = $1", [.id(revision.id)])
            // Another upload may have healed it: then it refers to another blob than it did.
            return try session.ask("DELETE FROM revisions WHERE id = $1 RETURNING blob_id", [.id(revision.id)])
        }
        for answer in removed {
            if let row = try answer.first() { try release(try row.id(0)) }
        }
    }
}
