import StorageCore

/// Copies a local folder into the container of an account, through the same door as every upload.
///
/// # Behavior
///
/// - A file that is there already with the same bytes is only read, not stored again: an import that was interrupted is
///   finished by starting it again. What the database says is not enough: the store must have the bytes, in their size.
/// - The source is read a second time before anything is committed, and the stored file is read back: what was imported is
///   what both of them hold. A file that changed meanwhile is not stored.
/// - A file that fails holds up no other, not even one that its account has no room for. What no later file could survive,
///   above all a full store, ends the import; so does the cancellation of the task.
/// - Everything that was committed is told, however the import ends.
/// - A few files are under way at once; memory does not grow with the number or the size of files.
struct FolderImport: Sendable {
    /// What became of one entry.
    enum Event: Sendable {
        /// New, or new bytes for a path that was there.
        case stored(LocalFile, isNew: Bool)
        case alreadyThere(LocalFile)
        /// A folder without entries.
        case folder(FilePath, isNew: Bool)
        case skipped(name: [UInt8], reason: String)
        case failed(name: [UInt8], reason: String)
    }

    let storage: FileStorage
    let principal: Principal
    /// Looks at everything and stores nothing; nil stores.
    var forecast: ImportForecast?
    /// Reads the local files.
    let pool: BlockingPool

    /// How many files are under way at once; each may hold a few MiB of memory.
    static let width = 8

    /// Imports all that `walk` finds, and tells of each entry when it is done.
    ///
    /// - Parameter progress: Is told of bytes that were read, on any thread.
    /// - Throws: what no later file could survive, after the event of the file that met it; `CancellationError`.
    func run(
        _ walk: FolderWalk, progress: @escaping @Sendable (Int) -> Void, each: (Event) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var running = 0
            var end: (any Error)?
            func finish(_ outcome: Outcome) throws {
                running -= 1
                if let event = outcome.event { try each(event) }
                guard let error = outcome.end, end == nil else { return }
                end = error
                group.cancelAll()
            }
            while end == nil, !Task.isCancelled, let entry = try await pool.run({ walk.next() }) {
                switch entry {
                case .skipped(let name, let reason): try each(.skipped(name: name, reason: reason))
                case .refused(let name, let reason): try each(.failed(name: name, reason: reason))
                case .file, .emptyFolder:
                    if running == Self.width, let outcome = try await group.next() { try finish(outcome) }
                    guard end == nil else { break }
                    group.addTask { await take(entry, progress) }
                    running += 1
                }
            }
            while let outcome = try await group.next() { try finish(outcome) }
            if let end { throw end }
            try Task.checkCancellation()
        }
    }

    /// What one entry came to; neither part where it was given up because the import ended.
    private struct Outcome: Sendable {
        var event: Event?
        /// Why the import cannot go on.
        var end: (any Error)?
    }

    private func take(_ entry: FolderEntry, _ progress: @escaping @Sendable (Int) -> Void) async -> Outcome {
        switch entry {
        case .file(let file): await reporting(file.name) { try await take(file, progress) }
        case .emptyFolder(let path): await reporting(path.bytes) { try await makeFolder(path) }
        case .skipped(let name, let reason): Outcome(event: .skipped(name: name, reason: reason))
        case .refused(let name, let reason): Outcome(event: .failed(name: name, reason: reason))
        }
    }

    private func makeFolder(_ path: FilePath) async throws -> Event {
        if let forecast { return .folder(path, isNew: try await forecast.addsFolder(path)) }
        if case .created = try await storage.makeFolder(path, as: principal) { return .folder(path, isNew: true) }
        return .folder(path, isNew: false)
    }

    private func take(_ file: LocalFile, _ progress: @escaping @Sendable (Int) -> Void) async throws -> Event {
        let existing = try await record(at: file.path)
        if let revision = existing?.revision, revision.size == file.state.size, try await isStored(revision),
            try await digest(of: file) == revision.blob.digest
        {
            progress(Int(clamping: file.state.size))
            return .alreadyThere(file)
        }
        if let forecast {
            try await forecast.add(file.state.size, at: file.path, replacing: existing)
            progress(Int(clamping: file.state.size))
            return .stored(file, isNew: existing == nil)
        }
        return try await store(file, replacing: existing, progress)
    }

    /// Commits only what is surely what the source holds.
    private func store(
        _ file: LocalFile, replacing existing: FileRecord?, _ progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Event {
        let new = NewFile(path: file.path)
        try await storage.admit(new, length: file.state.size, as: principal)
        let body = file.bytes(on: pool, progress: progress)
        let replaced = existing.flatMap { $0.isFolder ? nil : Replacement.file($0) } ?? .nothing
        let staged = try await storage.stage(body, as: principal, replacing: replaced)
        let result: FileChangeResult
        do {
            try await confirm(file, staged.digest)
            result = try await storage.put(new, staged: staged, as: principal)
        } catch {
            await storage.discard(staged)
            throw error
        }
        await storage.discard(staged)
        do {
            try await readBack(result.record)
        } catch is CancellationError {
            // It is stored, and counts as that; the next import looks at it again.
        }
        if case .created = result { return .stored(file, isNew: true) }
        return .stored(file, isNew: false)
    }

    private func record(at path: FilePath) async throws -> FileRecord? {
        guard let container = storage.container(of: principal) else { return nil }
        return try await storage.metadata.file(.path(container.id, path))
    }

    private func digest(of file: LocalFile) async throws -> BlobDigest {
        try await pool.run { try file.digest() }
    }

    /// Whether the store has the bytes that the database speaks of, as far as can be seen without reading them.
    private func isStored(_ revision: Revision) async throws -> Bool {
        guard revision.isIntact else { return false }
        do {
            return try await storage.blobs.info(for: revision.blob)?.size == revision.size
        } catch let error as StorageError where error.code == .corrupt {
            return false
        }
    }

    /// Reads the source again and compares it with what was taken in.
    private func confirm(_ file: LocalFile, _ staged: BlobDigest) async throws {
        try await pool.run { try file.checkUnchanged() }
        guard try await digest(of: file) == staged else { throw LocalFileError.changed }
        try await pool.run { try file.checkUnchanged() }
        try Task.checkCancellation()
    }

    /// Reads a stored file and compares it with its digest.
    private func readBack(_ record: FileRecord?) async throws {
        guard let record, let revision = record.revision else {
            throw StorageError(.internal, "The stored file has no bytes.")
        }
        let (isCurrent, content) = try await storage.read(.id(record.container, record.id)) { found in
            found.revision?.id == revision.id ? (true, 0..<revision.size) : (false, nil)
        }
        // Somebody else has put another file in its place meanwhile, after this one was stored.
        guard isCurrent, let content else { return }
        for try await _ in storage.stream(content, of: revision) { try Task.checkCancellation() }
    }

    /// The failure of one file, told by its event; what hits all files alike ends the import too, at once or after some tries.
    private func reporting(_ name: [UInt8], _ body: () async throws -> Event) async -> Outcome {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                return Outcome(event: try await body())
            } catch is CancellationError {
                return Outcome()
            } catch let error as StorageError where error.isTransient && pause < .seconds(10) {
                guard (try? await Task.sleep(for: pause)) != nil else { return Outcome() }
                pause *= 2
            } catch let error as StorageError {
                let isEnd = error.isTransient || Self.concernsAll.contains(error.code)
                return Outcome(event: .failed(name: name, reason: error.message), end: isEnd ? error : nil)
            } catch {
                return Outcome(
                    event: .failed(name: name, reason: "\(error)"), end: error is LocalFileError ? nil : error)
            }
        }
    }

    private static let concernsAll: Set<StorageError.Code> = [
        .insufficientStorage, .wrongStore, .unavailable, .outcomeUnknown, .unauthenticated, .forbidden,
    ]
}
