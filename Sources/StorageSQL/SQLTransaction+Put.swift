import StorageCore

/// New content for a path.
extension SQLTransaction {
    func put(_ put: FileChange.Put) throws -> FileChangeResult {
        if let settled = try settle(put.upload, in: put.container) { return settled }
        let container = try openContainer(put.container, defaults: put.limits)
        // Where the limit was lifted meanwhile, the sweeper gives it back.
        if container.isLimited { try release(of: put.upload) }
        try makeAncestors(of: put.path, in: put.container)
        let existing = try fileToReplace(at: put.path, in: put.container, put.precondition)
        let content = try content(of: put)
        let (file, usage) = try makeCurrent(
            content, of: existing, at: put.path, in: container, kind: put.kind, link: put.link,
            keeping: put.keepRevisions)
        try account(usage, to: container)
        let isNew = existing == nil
        try session.execute(
            "UPDATE uploads SET file_id = $1, created = $2 WHERE id = $3",
            [.id(file.id), .integer(isNew ? 1 : 0), .id(put.upload)])
        let record = try record(file.id, in: put.container)
        return isNew ? .created(record) : .updated(record)
    }

    /// Marks the upload as committed in this transaction, so that a lost answer can be looked up.
    ///
    /// - Returns: What it made before, when it was committed already.
    private func settle(_ upload: UploadID, in container: ContainerID) throws -> FileChangeResult? {
        let settled = try session.execute(
            """
            UPDATE uploads SET committed_at = \(dialect.now) \
            WHERE id = $1 AND container_id = $2 AND committed_at IS NULL AND abandoned_at IS NULL
            """, [.id(upload), .id(container)])
        guard settled == 0 else { return nil }
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
        at path: FilePath, in container: ContainerID, _ precondition: Precondition
    ) throws -> StoredFile? {
        let existing = try lockedFile(.path(container, path))
        guard let existing, existing.record.isFolder else {
            try precondition.check(existing?.record.revision)
            return existing
        }
        try removeEmptyFolder(existing.record)
        try precondition.check(nil)
        return nil
    }

    private func content(of put: FileChange.Put) throws -> RevisionContent {
        guard let row = try session.first("SELECT size FROM blobs WHERE id = $1", [.id(put.blob)]) else {
            throw BlobLost()
        }
        return RevisionContent(
            blob: put.blob, size: try row.integer(0), mediaType: put.mediaType, sentName: put.sentName)
    }

    /// Makes a revision of the content the current one, or leaves the file alone when it has just that content.
    func makeCurrent(
        _ content: RevisionContent, of existing: StoredFile?, at path: FilePath, in container: OpenContainer,
        kind: FileKind, link: Link?, keeping keep: Int
    ) throws -> (file: (id: FileID, revision: RevisionID?), usage: UsageChange) {
        if let existing, try isCurrent(content, in: existing) {
            try lock([content.blob])
            try revive(content.blob)
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
        try lock(Set(pruned.map(\.blob) + [content.blob]))
        try revive(content.blob)
        let revision = RevisionID()
        let file = existing?.record.id ?? FileID()
        if existing != nil {
            try session.execute(
                "UPDATE files SET revision_id = $1, kind = $2, modified_at = \(dialect.now) WHERE id = $3",
                [.id(revision), .text(kind.rawValue), .id(file)])
        } else {
            try session.execute(
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
        for old in pruned { try remove(old) }
        return ((file, revision), usage)
    }

    /// The revision is an older one from now on; its public names end.
    private func supersede(_ revision: RevisionID) throws {
        try session.execute("DELETE FROM links WHERE revision_id = $1", [.id(revision)])
        try session.execute(
            "UPDATE revisions SET superseded_at = \(dialect.now) WHERE id = $1", [.id(revision)])
    }

    /// The blob becomes or stays live, and is not to be collected: the reference is made in this transaction.
    private func revive(_ blob: BlobID) throws {
        let revived = try session.execute(
            """
            UPDATE blobs SET state = 'live', released_at = NULL, claimed_until = NULL \
            WHERE id = $1 AND state IN ('pending', 'live')
            """, [.id(blob)])
        guard revived > 0 else { throw BlobLost() }
        try heal(with: blob)
    }

    /// Points every revision of a corrupt life of the same bytes at this one, which was just proved whole: all in this transaction,
    /// or a crash would leave the rest damaged, but in statements of a bounded size, which end before a statement's time does.
    ///
    /// A corrupt life before can exist only where this one has a generation.
    private func heal(with blob: BlobID) throws {
        let row = try session.first("SELECT space, hash FROM blobs WHERE id = $1 AND gen <> 0", [.id(blob)])
        guard let row else { return }
        let (space, hash) = (try row.bytes(0), try row.bytes(1))
        while try session.execute(
            """
            UPDATE revisions SET blob_id = $1 WHERE id IN \
            (SELECT r.id FROM revisions r JOIN blobs b ON b.id = r.blob_id \
            WHERE b.space = $2 AND b.hash = $3 AND b.state = 'corrupt' LIMIT \(Self.healSize))
            """, [.id(blob), .bytes(space), .bytes(hash)]) == Self.healSize
        {}
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
        try session.execute(
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
        try session.execute(
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
}

/// A revision that is to be removed.
struct StoredRevision {
    let id: RevisionID
    let blob: BlobID
    let size: Int64
}

extension SQLTransaction {
    /// The revisions that there is no place for once a new one is current.
    private func surplusRevisions(of file: StoredFile, keeping keep: Int) throws -> [StoredRevision] {
        try session.query(
            "SELECT id, blob_id, size FROM revisions WHERE file_id = $1 AND number <= $2",
            [.id(file.record.id), .integer(file.revisionNumber - Int64(max(0, keep)))]
        ).map { StoredRevision(id: try $0.id(0), blob: try $0.id(1), size: try $0.integer(2)) }
    }

    /// Every revision of a file, the current one included.
    func revisions(of file: FileID) throws -> [StoredRevision] {
        try session.query("SELECT id, blob_id, size FROM revisions WHERE file_id = $1", [.id(file)])
            .map { StoredRevision(id: try $0.id(0), blob: try $0.id(1), size: try $0.integer(2)) }
    }

    /// Removes a revision with its links and releases its blob.
    func remove(_ revision: StoredRevision) throws {
        try session.execute("DELETE FROM links WHERE revision_id = $1", [.id(revision.id)])
        try session.execute("DELETE FROM revisions WHERE id = $1", [.id(revision.id)])
        try release(revision.blob)
    }
}
