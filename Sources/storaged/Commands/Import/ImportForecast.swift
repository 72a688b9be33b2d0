import StorageCore
import Synchronization

/// What an import would come to, without doing any of it: adds up what it would store, and refuses what the store would refuse.
///
/// Others may use the account meanwhile: it says what would happen if the import were done now.
final class ImportForecast: Sendable {
    private struct State {
        /// What the container would hold.
        var usage: Usage
        /// The last folder that was found to be free of conflicts; entries come folder by folder.
        var clearFolder: FilePath?
    }

    private let storage: FileStorage
    private let principal: Principal
    private let container: Container
    private let limits: ContainerLimits
    private let state: Mutex<State>

    init(_ storage: FileStorage, account: Account) async throws {
        self.storage = storage
        principal = Principal(identity: .account(account))
        container = account.container
        let usage = try await storage.usage(of: principal)
        limits = ContainerLimits(bytes: usage.limitBytes, files: usage.limitFiles)
        state = Mutex(State(usage: usage))
    }

    /// Takes note of a file that would be stored.
    ///
    /// - Throws: ``StorageError/Code/quotaExceeded``, ``StorageError/Code/pathConflict`` and whatever else would refuse it.
    func add(_ bytes: Int64, at path: FilePath, replacing existing: FileRecord?) async throws {
        try await storage.admit(NewFile(path: path), length: bytes, as: principal)
        if let existing, existing.isFolder { try await checkEmpty(existing) }
        if existing == nil { try await checkFolders(above: path) }
        // An empty folder gives way to a file, and is none.
        let isNew = existing?.revision == nil
        let growth = bytes - (existing?.revision?.size ?? 0)
        try state.withLock { state in
            if isNew, let limit = limits.files, state.usage.files >= limit { throw StorageError.quotaExceeded(limits) }
            if growth > 0, let limit = limits.bytes, state.usage.bytes > limit - growth {
                throw StorageError.quotaExceeded(limits)
            }
            state.usage.bytes += growth
            if isNew { state.usage.files += 1 }
        }
    }

    /// Whether a folder would be made; false for one that is there.
    ///
    /// - Throws: ``StorageError/Code/pathConflict``.
    func addsFolder(_ path: FilePath) async throws -> Bool {
        try await storage.admit(NewFile(path: path), length: 0, as: principal)
        guard let existing = try await storage.metadata.file(.path(container.id, path)) else {
            try await checkFolders(above: path)
            return true
        }
        guard existing.isFolder else { throw StorageError(.pathConflict, "\(path) is a file, not a folder.") }
        return false
    }

    private func checkEmpty(_ folder: FileRecord) async throws {
        var query = ListQuery(container: container.id, scope: .folder(folder.path))
        query.limit = 1
        guard try await storage.metadata.list(query).entries.isEmpty else {
            throw StorageError(.pathConflict, "\(folder.path) is a folder with entries, not a file.")
        }
    }

    private func checkFolders(above path: FilePath) async throws {
        guard let parent = path.parent, state.withLock({ $0.clearFolder }) != parent else { return }
        for folder in path.ancestors.reversed() {
            guard let found = try await storage.metadata.file(.path(container.id, folder)) else { continue }
            guard found.isFolder else {
                throw StorageError(.pathConflict, "\(folder) is a file; it cannot have entries.")
            }
            break
        }
        state.withLock { $0.clearFolder = parent }
    }
}
