import StorageCore

/// How a client names a file: by path or by id.
enum FileReference {
    case path(FilePath)
    /// A UUID is an id first; where no file has it, it is a path.
    case idOrPath(FileID, FilePath)
    /// The file as it was with this revision.
    indirect case revision(RevisionID, of: FileReference)

    var isRevision: Bool {
        if case .revision = self { true } else { false }
    }

    /// Reads `path` of a query or body: with a leading slash a path, a UUID an id, anything else a path from the root.
    init(_ text: [UInt8]) throws {
        let path = try FilePath(text)
        if let id = FileID(text: text) { self = .idOrPath(id, path) } else { self = .path(path) }
    }
}

extension Call {
    /// The selector of a file of the principal's container.
    ///
    /// - Throws: 404 where nothing was written yet.
    func selector(_ reference: FileReference, of principal: Principal) async throws -> FileSelector {
        guard let container = storage.container(of: principal)?.id else { throw StorageError.noSuchFile }
        switch reference {
        case .path(let path): return .path(container, path)
        case .idOrPath(let id, let path):
            let hasID = try await storage.metadata.file(.id(container, id)) != nil
            return hasID ? .id(container, id) : .path(container, path)
        case .revision(let revision, let file):
            let record = try await storage.file(try await selector(file, of: principal))
            return .revision(container, record.id, revision)
        }
    }
}
