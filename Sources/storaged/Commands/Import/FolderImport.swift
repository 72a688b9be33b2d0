import StorageCore

/// Copies a local folder into the container of an account, through the same door as every upload.
///
/// # Behavior
///
/// - A file that is there already with the same bytes is only read, not stored again: an import that was interrupted is
///   finished by starting it again.
/// - A stored file is read back, and its source a second time: what was imported is what both of them hold.
/// - A file that fails holds up no other. What no later file could survive, above all a full store, ends the import.
/// - A few files are under way at once; memory does not grow with the number or the size of files.
struct FolderImport: Sendable {
    /// What became of one entry.
    enum Event: Sendable {
        /// New, or new bytes for a path that was there.
        case stored(LocalFile, isNew: Bool)
        case alreadyThere(LocalFile)
        case folder(FilePath)
        case skipped(name: [UInt8], reason: String)
        case failed(name: [UInt8], reason: String)
    }

    let storage: FileStorage
    let principal: Principal
    /// Looks at everything and stores nothing.
    let isDryRun: Bool
    /// Reads the local files.
    let pool: BlockingPool

    /// How many files are under way at once; each may hold a few MiB of memory.
    static let width = 8

    /// Imports all that `walk` finds, and tells of each entry when it is done.
    ///
    /// - Parameter progress: Is told of bytes that were read, on any thread.
    /// - Throws: what no later file could survive.
    func run(
        _ walk: FolderWalk, progress: @escaping @Sendable (Int) -> Void, each: (Event) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Event.self) { group in
            var running = 0
            while let entry = try await pool.run({ walk.next() }) {
                switch entry {
                case .skipped(let name, let reason): try each(.skipped(name: name, reason: reason))
                case .refused(let name, let reason): try each(.failed(name: name, reason: reason))
                case .file, .emptyFolder:
                    if running == Self.width, let event = try await group.next() {
                        try each(event)
                        running -= 1
                    }
                    group.addTask { try await take(entry, progress) }
                    running += 1
                }
            }
            while let event = try await group.next() { try each(event) }
        }
    }

    private func take(_ entry: FolderEntry, _ progress: @escaping @Sendable (Int) -> Void) async throws -> Event {
        switch entry {
        case .file(let file):
            try await reporting(file.name) { try await take(file, progress) }
        case .emptyFolder(let path):
            try await reporting(path.bytes) {
                if !isDryRun { _ = try await storage.makeFolder(path, as: principal) }
                return .folder(path)
            }
        case .skipped(let name, let reason): .skipped(name: name, reason: reason)
        case .refused(let name, let reason): .failed(name: name, reason: reason)
        }
    }

    private func take(_ file: LocalFile, _ progress: @escaping @Sendable (Int) -> Void) async throws -> Event {
        let existing = try await record(at: file.path)
        if let revision = existing?.revision, revision.isIntact, revision.size == file.state.size,
            try await digest(of: file) == revision.blob.digest
        {
            progress(Int(clamping: file.state.size))
            return .alreadyThere(file)
        }
        if isDryRun {
            try await storage.admit(NewFile(path: file.path), length: file.state.size, as: principal)
            progress(Int(clamping: file.state.size))
            return .stored(file, isNew: existing == nil)
        }
        let body = file.bytes(on: pool, progress: progress)
        let result = try await storage.put(NewFile(path: file.path), body: body, as: principal)
        try await verify(file, result.record)
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

    /// Reads both sides again and compares them.
    private func verify(_ file: LocalFile, _ record: FileRecord?) async throws {
        guard let record, let revision = record.revision else {
            throw StorageError(.internal, "The stored file has no bytes.")
        }
        try await pool.run { try file.checkUnchanged() }
        guard try await digest(of: file) == revision.blob.digest else { throw LocalFileError.changed }
        let (isCurrent, content) = try await storage.read(.id(record.container, record.id)) { found in
            found.revision?.id == revision.id ? (true, 0..<revision.size) : (false, nil)
        }
        // Somebody else has put another file in its place meanwhile, after this one was stored.
        guard isCurrent, let content else { return }
        for try await _ in storage.stream(content, of: revision) {}
    }

    /// The failure of one file, told by its event; what hits all files alike is thrown, at once or after some tries.
    private func reporting(_ name: [UInt8], _ body: () async throws -> Event) async throws -> Event {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                return try await body()
            } catch let error as StorageError where error.isTransient {
                guard pause < .seconds(10) else { throw error }
                try await Task.sleep(for: pause)
                pause *= 2
            } catch let error as StorageError where Self.concernsAll.contains(error.code) {
                throw error
            } catch let error as StorageError {
                return .failed(name: name, reason: error.message)
            } catch let error as LocalFileError {
                return .failed(name: name, reason: error.description)
            }
        }
    }

    private static let concernsAll: Set<StorageError.Code> = [
        .insufficientStorage, .quotaExceeded, .wrongStore, .unavailable, .outcomeUnknown, .unauthenticated, .forbidden,
    ]
}
