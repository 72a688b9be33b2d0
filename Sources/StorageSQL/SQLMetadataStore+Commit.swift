public import StorageCore

/// Changing files.
extension SQLMetadataStore {
    /// See ``/StorageCore/MetadataStore/commit(_:)``.
    public func commit(_ change: FileChange) async throws -> FileChangeResult {
        try change.checkSelector()
        do {
            return try await write { try $0.perform(change) }
        } catch is BlobLost {
            return .blobLost
        }
    }
}

/// What was asked of a container as one without limits.
struct UnlimitedContainer {
    /// Its row before it was locked; nil where nothing is locked.
    fileprivate let before: (any SQLAnswer)?
    fileprivate let locked: any SQLAnswer
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
        case .restore(let restoration): try restore(restoration)
        }
    }

    // MARK: - What all changes share

    /// Locks the container: shared where no limit is in force, so that its uploads do not queue for each other.
    func openContainer(_ id: ContainerID, defaults: ContainerLimits = .none) throws -> OpenContainer {
        try openContainer(id, defaults: defaults, asked: try askUnlimited(id, defaults: defaults))
    }

    /// Asks for the container as one without limits, for ``openContainer(_:defaults:asked:)``.
    func askUnlimited(_ id: ContainerID, defaults: ContainerLimits) throws -> UnlimitedContainer? {
        guard defaults == .none else { return nil }
        let unlimited = "SELECT closed_at FROM containers WHERE id = $1 AND limit_bytes IS NULL AND limit_files IS NULL"
        return UnlimitedContainer(
            before: locksRows ? try session.ask(unlimited, [.id(id)]) : nil,
            locked: try session.ask(unlimited + dialect.forKeyShare, [.id(id)]))
    }

    func openContainer(
        _ id: ContainerID, defaults: ContainerLimits, asked: UnlimitedContainer?
    ) throws -> OpenContainer {
        if let row = try asked?.locked.first() {
            guard row.isNull(0) else { throw StorageError.noContainer }
            return OpenContainer(id: id, limits: .none)
        }
        guard try asked?.before?.first() == nil else { throw RowChanged() }
        let row = try session.first(
            "SELECT limit_bytes, limit_files, closed_at FROM containers WHERE id = $1\(dialect.forUpdate)", [.id(id)])
        guard let row, row.isNull(2) else { throw StorageError.noContainer }
        let own = ContainerLimits(bytes: try row.optionalInteger(0), files: try row.optionalInteger(1))
        return OpenContainer(id: id, limits: own.inForce(defaults: defaults))
    }

    /// Makes the folders above a path that are missing, and locks the others; see ``askAncestors(of:in:)``.
    func makeAncestors(of path: FilePath, in container: ContainerID) throws {
        try makeAncestors(of: path, in: container, asked: try askAncestors(of: [path], in: container))
    }

    /// - Parameter asked: What ``askAncestors(of:in:)`` said of this path.
    func makeAncestors(of path: FilePath, in container: ContainerID, asked: [any SQLAnswer]) throws {
        let types = try types(asked)
        for ancestor in path.ancestors {
            // Where another makes it at this moment, this transaction fails and runs again.
            guard let type = types[ancestor] else {
                try insertFolder(ancestor, in: container)
                continue
            }
            guard type == "folder" else { throw StorageError.fileInTheWay(ancestor) }
        }
    }

    /// Locks everything above some paths, the outermost first: what is below a folder neither comes nor goes while the folder is
    /// deleted or moved.
    ///
    /// One question for each path: asked for several at once, in order, a planner that knows little of the table walks through all of
    /// it.
    ///
    /// - Returns: The paths of what is there with their types, `folder` or `file`.
    func askAncestors(of paths: [FilePath], in container: ContainerID) throws -> [any SQLAnswer] {
        let ancestors = Set(paths.flatMap(\.ancestors)).sorted()
        return try ancestors.map { ancestor in
            try session.ask(
                "SELECT path, type FROM files WHERE container_id = $1 AND path = $2\(dialect.forKeyShare)",
                [.id(container), .path(ancestor)])
        }
    }

    private func types(_ asked: [any SQLAnswer]) throws -> [FilePath: String] {
        try asked.reduce(into: [:]) { types, answer in
            guard let row = try answer.first() else { return }
            types[FilePath(stored: try row.bytes(0))] = try row.text(1)
        }
    }

    func insertFolder(_ path: FilePath, in container: ContainerID) throws {
        try session.perform(
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
        try session.perform("DELETE FROM files WHERE id = $1", [.id(folder.id)])
    }

    /// Locks blobs that are going to be changed in the order of their ids, as every transaction does.
    func lock(_ blobs: Set<BlobID>) throws {
        guard locksRows else { return }
        for blob in blobs.sorted() {
            try session.perform("SELECT 1 FROM blobs WHERE id = $1\(dialect.forNoKeyUpdate)", [.id(blob)])
        }
    }

    /// Notes that a reference to a blob is gone; whether it was the last the collector finds out.
    func release(_ blob: BlobID) throws {
        try session.perform(
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
