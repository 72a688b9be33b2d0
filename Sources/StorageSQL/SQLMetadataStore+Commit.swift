public import StorageCore

/// Changing files.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/commit(_:)``.
    public func commit(_ change: FileChange) async throws -> FileChangeResult {
        do {
            return try await write { try $0.perform(change) }
        } catch is BlobLost {
            return .blobLost
        }
    }
}

/// Rolls a transaction back whose blob may no longer be referred to.
struct BlobLost: Error {}

extension SQLTransaction {
    fileprivate func perform(_ change: FileChange) throws -> FileChangeResult {
        switch change {
        case .put(let put): try self.put(put)
        case .makeFolder(let container, let path): try makeFolder(container, path)
        case .delete(let selector, let precondition): try delete(selector, precondition)
        case .deleteTree(let container, let path, let limit): try deleteTree(container, path, limit: limit)
        case .move(let relocation): try move(relocation)
        case .copy(let relocation): try copy(relocation)
        }
    }

    // MARK: - What all changes share

    /// Locks the container: shared where no limit is in force, so that its uploads do not queue for each other.
    func openContainer(_ id: ContainerID, defaults: ContainerLimits = .none) throws -> OpenContainer {
        let sql = "SELECT limit_bytes, limit_files, closed_at FROM containers WHERE id = $1"
        func read(_ lock: String) throws -> OpenContainer {
            guard let row = try session.first(sql + lock, [.id(id)]), row.isNull(2) else {
                throw StorageError.noContainer
            }
            let own = ContainerLimits(bytes: try row.optionalInteger(0), files: try row.optionalInteger(1))
            return OpenContainer(id: id, limits: own.inForce(defaults: defaults))
        }
        var container = try read("")
        guard locksRows else { return container }
        if !container.isLimited { container = try read(dialect.forShare) }
        // Also where a limit came while the lock was waited for.
        return container.isLimited ? try read(dialect.forUpdate) : container
    }

    /// Makes the folders above a path that are missing.
    ///
    /// Where rows are locked, all of them are, the outermost first: a folder that is being deleted is not written below.
    func makeAncestors(of path: FilePath, in container: ContainerID) throws {
        if locksRows {
            for ancestor in path.ancestors {
                _ = try session.query(
                    "SELECT id FROM files WHERE container_id = $1 AND path = $2\(dialect.forShare)",
                    [.id(container), .path(ancestor)])
            }
        }
        var missing: [FilePath] = []
        for ancestor in path.ancestors.reversed() {
            let row = try session.first(
                "SELECT type FROM files WHERE container_id = $1 AND path = $2",
                [.id(container), .path(ancestor)])
            guard let row else {
                missing.append(ancestor)
                continue
            }
            guard try row.text(0) == "folder" else { throw StorageError.fileInTheWay(ancestor) }
            break
        }
        for folder in missing.reversed() { try insertFolder(folder, in: container) }
    }

    func insertFolder(_ path: FilePath, in container: ContainerID) throws {
        try session.execute(
            """
            INSERT INTO files (id, container_id, path, depth, type, kind, created_at, modified_at) \
            VALUES ($1, $2, $3, $4, 'folder', 'other', \(dialect.now), \(dialect.now))
            """, [.id(FileID()), .id(container), .path(path), .integer(Int64(path.depth))])
    }

    /// Makes room for an entry where an empty folder may be.
    func removeEmptyFolder(_ folder: FileRecord) throws {
        guard try !hasEntries(below: folder.path, in: folder.container) else {
            throw StorageError.folderInTheWay(folder.path)
        }
        try session.execute("DELETE FROM files WHERE id = $1", [.id(folder.id)])
    }

    /// Locks blobs in the order of their ids, as every transaction does.
    func lock(_ blobs: Set<BlobID>) throws {
        guard locksRows, !blobs.isEmpty else { return }
        let places = (1...blobs.count).map { "$\($0)" }.joined(separator: ", ")
        _ = try session.query(
            "SELECT id FROM blobs WHERE id IN (\(places)) ORDER BY id\(dialect.forUpdate)",
            blobs.sorted().map(SQLValue.id))
    }

    /// Notes that a reference to a blob is gone; whether it was the last the collector finds out.
    func release(_ blob: BlobID) throws {
        try session.execute(
            "UPDATE blobs SET released_at = \(dialect.now) WHERE id = $1 AND state IN ('pending', 'live')", [.id(blob)])
    }

    func record(_ id: FileID, in container: ContainerID) throws -> FileRecord {
        guard let file = try file(.id(container, id)) else { throw SQLError(.other, "a row just written is missing") }
        return file.record
    }
}

extension StorageError {
    fileprivate static let noContainer = StorageError(.notFound, "The container does not exist any more.")

    static func fileInTheWay(_ path: FilePath) -> StorageError {
        StorageError(.pathConflict, "\(path) is a file; it cannot have entries.")
    }

    static func folderInTheWay(_ path: FilePath) -> StorageError {
        StorageError(.pathConflict, "\(path) is a folder that is not empty.")
    }
}
