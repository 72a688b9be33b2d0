/// The rows of an ``InMemoryMetadataStore``, and the questions that its transactions have in common.
struct MemoryTables: Sendable {
    /// The store's clock at the beginning of the transaction.
    var now = Timestamp(microseconds: 0)

    /// In the order of their serials, which count from 1.
    var accounts: [AccountRow] = []
    var accountIndex: [AccountID: Int] = [:]
    var logins: [Login: Int] = [:]
    var credentials: [CredentialID: CredentialRow] = [:]
    var credentialIndex: [TokenDigest: CredentialID] = [:]
    var containers: [ContainerID: ContainerRow] = [:]
    var files: [FileID: FileRow] = [:]
    var revisions: [RevisionID: RevisionRow] = [:]
    /// The publications of each public name, the oldest first.
    var links: [Link: [Publication]] = [:]
    var blobs: [BlobID: BlobRow] = [:]
    /// All lives of a content in a space, whatever their states.
    var lives: [Content: [BlobID]] = [:]
    var uploads: [UploadID: UploadRow] = [:]
    var settings: [String: String] = [:]
    var audit: [AuditEntry] = []

    struct AccountRow {
        var account: Account
        var passwordHash: String?
        var email: String?
        var isClosed = false
    }

    struct CredentialRow {
        let id: CredentialID
        let digest: TokenDigest
        let account: AccountID
        let kind: StoredCredential.Kind
        let label: String?
        let createdAt: Timestamp
        let expiresAt: Timestamp?
        var lastUsedAt: Timestamp?
        var idleUntil: Timestamp?
        var revokedAt: Timestamp?
    }

    struct ContainerRow {
        let account: AccountID
        var usage = Usage()
        var reserved: Int64 = 0
        var isClosed = false
        var entries = SortedMap<FilePath, FileID>()
    }

    struct FileRow {
        let id: FileID
        let container: ContainerID
        var path: FilePath
        var kind: FileKind
        let createdAt: Timestamp
        var modifiedAt: Timestamp
        /// The oldest first, the current one last; empty for a folder.
        var revisions: [RevisionID] = []

        var isFolder: Bool { revisions.isEmpty }
    }

    struct RevisionRow {
        let id: RevisionID
        let file: FileID
        var blob: BlobID
        let size: Int64
        let mediaType: MediaType
        let sentName: String?
        let createdAt: Timestamp
        /// Means nothing while the revision is the current one.
        var supersededAt = Timestamp(microseconds: 0)
        var links: Set<Link> = []
    }

    struct Publication {
        let container: ContainerID
        let revision: RevisionID
    }

    struct Content: Hashable {
        let space: Space
        let digest: BlobDigest
    }

    struct BlobRow {
        let id: BlobID
        let key: BlobKey
        let size: Int64
        var state: BlobRecord.State
        var stateAt: Timestamp
        var claimedUntil: Timestamp?
        /// When a collector last got the doomed blob.
        var handedOutAt: Timestamp?
        var releasedAt: Timestamp?
        var references: Set<RevisionID> = []

        /// Whether the bytes may still be written and referred to.
        var isUsable: Bool { state == .pending || state == .live }

        var record: BlobRecord { BlobRecord(id: id, key: key, size: size, state: state) }
    }

    struct UploadRow {
        let container: ContainerID
        var blob: BlobID?
        var reserved: Int64 = 0
        var heartbeatAt: Timestamp
        var isAbandoned = false
        var committedAt: Timestamp?
        var made: MadeFile?
    }

    /// What a commit made.
    struct MadeFile {
        let file: FileID
        let isNew: Bool
    }
}

extension MemoryTables {
    /// The row of a container.
    ///
    /// - Throws: ``StorageError/Code/notFound`` when there is none, or when it is closed.
    func container(_ id: ContainerID) throws -> ContainerRow {
        guard let row = containers[id], !row.isClosed else {
            throw StorageError(.notFound, "There is no such container.")
        }
        return row
    }

    /// The entry at a path.
    func row(at path: FilePath, in container: ContainerID) -> FileRow? {
        containers[container]?.entries[path].flatMap { files[$0] }
    }

    /// The entry that is meant.
    func row(_ selector: FileSelector) -> FileRow? {
        switch selector {
        case .path(let container, let path): row(at: path, in: container)
        case .id(let container, let id), .revision(let container, let id, _):
            files[id].flatMap { $0.container == container ? $0 : nil }
        case .link(let link):
            links[link]?.first { containers[$0.container]?.isClosed == false }
                .flatMap { revisions[$0.revision] }.flatMap { files[$0.file] }
        }
    }

    /// The entry that is meant.
    ///
    /// - Throws: ``StorageError/Code/notFound`` when there is none.
    func existing(_ selector: FileSelector) throws -> FileRow {
        guard let row = row(selector) else { throw StorageError(.notFound, "There is no such file or folder.") }
        return row
    }

    /// The entry as callers see it.
    func record(_ row: FileRow) -> FileRecord {
        FileRecord(
            id: row.id, container: row.container, path: row.path, entry: revision(of: row).map { .file($0) } ?? .folder,
            kind: row.kind, createdAt: row.createdAt, modifiedAt: row.modifiedAt)
    }

    /// The current revision as callers see it; nil for a folder.
    func revision(of row: FileRow) -> Revision? {
        row.revisions.last.flatMap { revisions[$0] }.flatMap { revision($0) }
    }

    /// A revision as callers see it.
    func revision(_ row: RevisionRow) -> Revision? {
        guard let blob = blobs[row.blob] else { return nil }
        return Revision(
            id: row.id, blob: blob.key, size: row.size, mediaType: row.mediaType, sentName: row.sentName,
            createdAt: row.createdAt, isIntact: blob.state == .live)
    }

    /// The paths below a folder, in byte order.
    func paths(below folder: FilePath, in container: ContainerID) -> ArraySlice<FilePath> {
        paths(startingWith: folder.prefix, in: container)
    }

    /// The paths that start with these bytes, in byte order: one run of neighbours.
    func paths(startingWith prefix: [UInt8], in container: ContainerID) -> ArraySlice<FilePath> {
        guard let entries = containers[container]?.entries else { return [] }
        let start = entries.position { $0.bytes.lexicographicallyPrecedes(prefix) }
        let end = entries.position { $0.bytes.lexicographicallyPrecedes(prefix) || $0.bytes.starts(with: prefix) }
        return entries.keys[start..<end]
    }

    /// One page of a container's entries.
    func list(_ query: ListQuery) -> Page<FileRecord> {
        let limit = min(max(query.limit, 1), 1_000)
        let prefix: [UInt8]
        var depth: Int?
        var hasFolders = query.kind == nil
        switch query.scope {
        case .files(let bytes): (prefix, hasFolders) = (bytes, false)
        case .folder(let folder): (prefix, depth) = (folder?.prefix ?? [], folder.map { $0.depth + 1 } ?? 0)
        case .tree(let folder): prefix = folder.prefix
        }
        var page: [FileRecord] = []
        for path in paths(startingWith: prefix, in: query.container) {
            if let after = query.after, path <= after { continue }
            if let depth, path.depth != depth { continue }
            guard let row = row(at: path, in: query.container) else { continue }
            if row.isFolder, !hasFolders { continue }
            if let kind = query.kind, row.kind != kind { continue }
            if page.count == limit { return Page(entries: page, hasMore: true) }
            page.append(record(row))
        }
        return Page(entries: page, hasMore: false)
    }
}

extension Timestamp {
    /// The moment so many microseconds later, or the last one that there is.
    func adding(_ microseconds: Int64) -> Timestamp {
        let (sum, overflowed) = self.microseconds.addingReportingOverflow(microseconds)
        guard overflowed else { return Timestamp(microseconds: sum) }
        return Timestamp(microseconds: microseconds < 0 ? .min : .max)
    }

    /// The moment so many microseconds before, or the first one that there is.
    func subtracting(_ microseconds: Int64) -> Timestamp {
        let (difference, overflowed) = self.microseconds.subtractingReportingOverflow(microseconds)
        guard overflowed else { return Timestamp(microseconds: difference) }
        return Timestamp(microseconds: microseconds < 0 ? .max : .min)
    }
}
