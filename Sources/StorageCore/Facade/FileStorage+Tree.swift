/// Changing the tree: folders, deletion, moves and copies.
extension FileStorage {
    /// Makes a folder and those above it; an existing one is fine.
    public func makeFolder(_ path: FilePath, as principal: Principal) async throws -> FileChangeResult {
        try refuseReserved(path, for: principal)
        return try await makeFolder(path, in: try await openContainer(for: principal).id)
    }

    private func makeFolder(_ path: FilePath, in container: ContainerID) async throws -> FileChangeResult {
        try await commit(.makeFolder(container, path)) {
            let now = try await metadata.file(.path(container, path))
            return now.flatMap { $0.isFolder ? .updated($0) : nil }
        }
    }

    /// Deletes a file or an empty folder, or with `recursively` a folder with everything below it.
    ///
    /// A recursive deletion goes in batches and is not atomic: what a client adds meanwhile is deleted or makes it start over,
    /// but nothing ever lies in a folder that is gone.
    public func delete(
        _ selector: FileSelector, if precondition: Precondition = .none, recursively: Bool = false
    ) async throws {
        let record = try await file(selector)
        guard record.isFolder, recursively else {
            _ = try await delete(record, .delete(selector, precondition))
            return
        }
        try precondition.check(nil)
        let change = FileChange.deleteTree(record.container, record.path, limit: Self.batch)
        var isFirst = true
        do {
            while case .deleted(let remaining) = try await delete(record, change), remaining > 0 { isFirst = false }
        } catch let error as StorageError where error.code == .notFound && !isFirst {
            // Somebody else deleted the rest between two batches.
        }
    }

    private func delete(_ record: FileRecord, _ change: FileChange) async throws -> FileChangeResult {
        try await commit(change) {
            let isThere = try await metadata.file(.id(record.container, record.id)) != nil
            return isThere ? nil : .deleted(remaining: 0)
        }
    }

    /// Gives a file or folder another path; a folder with everything below it, in one transaction.
    ///
    /// - Throws: ``StorageError/Code/exists`` for a file at the target that is not to be replaced.
    public func move(
        _ selector: FileSelector, to target: FilePath, as principal: Principal, overwrite: Bool,
        if precondition: Precondition = .none
    ) async throws -> FileRecord {
        let source = try await file(selector)
        try refuseReserved(source.path, for: principal)
        let relocation = try relocation(of: source, to: target, as: principal, overwrite: overwrite, precondition)
        let result = try await commit(.move(relocation)) {
            let now = try await file(.id(source.container, source.id))
            return now.path == target ? .updated(now) : nil
        }
        guard let record = result.record else { throw StorageError.noSuchFile }
        return record
    }

    /// Gives the current bytes of a file another path as well; a folder is copied with everything below it, in batches.
    public func copy(
        _ selector: FileSelector, to target: FilePath, as principal: Principal, overwrite: Bool,
        if precondition: Precondition = .none
    ) async throws -> FileRecord {
        let source = try await file(selector)
        guard source.isFolder else {
            return try await copyFile(
                source, try relocation(of: source, to: target, as: principal, overwrite: overwrite, precondition))
        }
        try precondition.check(nil)
        try refuseReserved(target, for: principal)
        guard !target.isInside(source.path) else {
            throw StorageError(.pathConflict, "A folder cannot be copied into itself.")
        }
        return try await copyTree(source, to: target, as: principal, overwrite: overwrite)
    }

    private func copyFile(_ source: FileRecord, _ relocation: FileChange.Relocation) async throws -> FileRecord {
        let result = try await commit(.copy(relocation)) {
            let now = try await metadata.file(.path(source.container, relocation.target))
            return now.flatMap { $0.revision?.blob == source.revision?.blob ? .updated($0) : nil }
        }
        guard let record = result.record else { throw StorageError.noSuchFile }
        return record
    }

    private func copyTree(
        _ source: FileRecord, to target: FilePath, as principal: Principal, overwrite: Bool
    ) async throws -> FileRecord {
        let existing = try await metadata.file(.path(source.container, target))
        guard existing == nil || overwrite else {
            throw StorageError(.exists, "\(target) exists already; say \"overwrite\": true to copy into it.")
        }
        var folders = [source.path]
        let root = try await makeFolder(target, in: source.container).record
        while let folder = folders.popLast() {
            var query = ListQuery(container: source.container, scope: .folder(folder))
            var page: Page<FileRecord>
            repeat {
                page = try await metadata.list(query)
                for entry in page.entries {
                    try Task.checkCancellation()
                    let path = try target.appending(entry.path.bytes.dropFirst(source.path.bytes.count + 1))
                    if entry.isFolder {
                        _ = try await makeFolder(path, in: source.container)
                        folders.append(entry.path)
                    } else {
                        let copy = try relocation(of: entry, to: path, as: principal, overwrite: overwrite, .none)
                        try await skippingDeleted { _ = try await copyFile(entry, copy) }
                    }
                }
                query.after = page.entries.last?.path
            } while page.hasMore
        }
        guard let root else { throw StorageError.noSuchFile }
        return root
    }

    /// A file that is deleted while its tree is being copied is not copied.
    private func skippingDeleted(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as StorageError where error.code == .notFound {}
    }

    private func relocation(
        of record: FileRecord, to target: FilePath, as principal: Principal, overwrite: Bool,
        _ precondition: Precondition
    ) throws -> FileChange.Relocation {
        guard let container = container(of: principal), container.id == record.container else {
            throw StorageError.noSuchFile
        }
        try refuseReserved(target, for: principal)
        return FileChange.Relocation(
            source: .id(record.container, record.id), target: target,
            kind: record.revision.map { FileKind(name: target.name, mediaType: $0.mediaType) },
            overwrite: overwrite, precondition: precondition, keepRevisions: keepRevisions(in: container),
            limits: defaultLimits(of: principal))
    }

    private static let batch = 1_000
}
