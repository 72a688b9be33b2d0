/// Older revisions of files.
extension FileStorage {
    /// The revisions of a file that are kept, the newest first and the current one among them, each as the file's record was with it.
    ///
    /// - Throws: ``StorageError/Code/notFound``; ``StorageError/Code/unprocessable`` for a folder.
    public func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord] {
        guard let revisions = try await metadata.revisions(of: selector, limit: limit) else {
            throw StorageError.noSuchFile
        }
        guard !revisions.isEmpty else { throw Self.folderWithoutRevisions }
        return revisions
    }

    /// Makes the bytes of a kept revision the current ones again, with their type and sent name: a new revision, unless the file is
    /// just so already. Nothing is published.
    ///
    /// - Throws: ``StorageError/Code/notFound`` for a file or revision that is not there; ``StorageError/Code/unprocessable`` for a folder;
    ///   ``StorageError/Code/corrupt`` when the bytes are damaged.
    public func restore(
        _ selector: FileSelector, to revision: RevisionID, as principal: Principal,
        if precondition: Precondition = .none
    ) async throws -> FileRecord {
        let file = try await file(selector)
        guard let container = container(of: principal), container.id == file.container else {
            throw StorageError.noSuchFile
        }
        guard !file.isFolder else { throw Self.folderWithoutRevisions }
        let old = try await metadata.file(.revision(file.container, file.id, revision))
        guard let old, let wanted = old.revision else { throw StorageError.noSuchRevision }
        try refuseReserved(file.path, for: principal)
        let restoration = FileChange.Restoration(
            container: file.container, file: file.id, revision: revision, precondition: precondition,
            keepRevisions: keepRevisions(in: container), limits: defaultLimits(of: principal))
        let result = try await commit(.restore(restoration)) {
            let now = try await metadata.file(.id(file.container, file.id))
            return now.flatMap { $0.revision?.hasContent(of: wanted) ?? false ? .updated($0) : nil }
        }
        guard let record = result.record else { throw StorageError.noSuchFile }
        return record
    }

    private static let folderWithoutRevisions = StorageError(
        .unprocessable, "path: is a folder; only files have revisions.")
}

extension Revision {
    /// Whether the bytes, type and sent name are those of another one.
    fileprivate func hasContent(of other: Revision) -> Bool {
        blob.digest == other.blob.digest && mediaType == other.mediaType
            && sentName.map { Array($0.utf8) } == other.sentName.map { Array($0.utf8) }
    }
}
