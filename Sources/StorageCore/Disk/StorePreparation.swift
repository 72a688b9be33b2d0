internal import CLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Makes a directory a store, or checks that it is one. All of it blocks.
enum StorePreparation {
    /// A directory that is ready for use.
    struct Prepared: Sendable {
        let directory: StoreDirectory
        let hasUnnamedFiles: Bool
        let storeID: String
        let isNew: Bool
    }

    /// Names in a staging folder that a crash left there are removed when they are older than this.
    private static let leftoverAge = 24 * 60 * 60
    /// At most this many at one start, which shall not take long.
    private static let leftoversAtOnce = 20_000

    /// The folders that every store has from its start.
    static let sharedFolders = ["store"] + (UInt8.min...UInt8.max).map { "store/\(Hexadecimal.encode([$0]))" }

    static func prepare(_ path: String, configuration: LocalDiskBlobStore.Configuration) throws -> Prepared {
        do {
            return try attempt(path, configuration: configuration)
        } catch let error as SystemCallError {
            throw failure(error, path)
        } catch let error as SyncError {
            throw failure(error.failure, path)
        }
    }

    /// A full or broken disk is not a wrong directory: later it may work.
    private static func failure(_ error: SystemCallError, _ path: String) -> StorageError {
        switch error.errno {
        case ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EIO:
            StorageError(
                error.storageError.code, "The store's directory cannot be used now.",
                isTransient: error.storageError.isTransient, cause: UnusableDirectory(path: path, cause: error))
        default:
            refusal("The store's directory cannot be used.", path, error)
        }
    }

    private static func attempt(
        _ path: String, configuration: LocalDiskBlobStore.Configuration
    ) throws -> Prepared {
        let root = try openRoot(path, creates: configuration.createsStore)
        let directory = try StoreDirectory(root: root, allowsOpenat2: configuration.allowsOpenat2)
        let hasUnnamedFiles = configuration.allowsUnnamedFiles && canMakeUnnamedFiles(directory)
        guard !configuration.isSpool else {
            if configuration.createsStore {
                try makeFolder(StagingFile.folder, in: directory)
                try removeLeftovers(in: directory)
            } else if !hasUnnamedFiles {
                _ = try directory.open(StagingFile.folder, linux_open_directory)
            }
            return Prepared(directory: directory, hasUnnamedFiles: hasUnnamedFiles, storeID: "", isNew: false)
        }
        var isNew = false
        if try StoreIdentity.read(in: directory, path) == nil {
            guard configuration.createsStore else {
                throw refusal("The store's directory has no store.id: it is not a store.", path)
            }
            do {
                try checkNeighbours(in: root, path, allowed: configuration.neighbours)
            } catch {
                // Another process may have made it a store between the two looks.
                guard try StoreIdentity.read(in: directory, path) != nil else { throw error }
            }
            isNew = try StoreIdentity.make(in: directory, hasUnnamedFiles: hasUnnamedFiles)
        }
        guard let storeID = try StoreIdentity.read(in: directory, path) else {
            throw refusal("The store's file store.id vanished.", path)
        }
        if configuration.createsStore {
            try makeFolders(in: directory)
            try removeLeftovers(in: directory)
        } else {
            try findFolders(in: directory)
        }
        return Prepared(directory: directory, hasUnnamedFiles: hasUnnamedFiles, storeID: storeID, isNew: isNew)
    }

    static func refusal(_ message: String, _ path: String, _ cause: SystemCallError? = nil) -> StorageError {
        StorageError(.wrongStore, message, cause: UnusableDirectory(path: path, cause: cause))
    }

    private static func canMakeUnnamedFiles(_ directory: StoreDirectory) -> Bool {
        (try? directory.open(".", linux_open_unnamed, mode: 0o600)) != nil
    }

    private static func openRoot(_ given: String, creates: Bool) throws -> OpenFile {
        // A slash at the end would make the kernel follow a symlink.
        let path = String(decoding: given.utf8.reversed().drop { $0 == UInt8(ascii: "/") }.reversed(), as: UTF8.self)
        guard !path.isEmpty, !path.utf8.contains(0) else { throw refusal("The store's directory has no name.", given) }
        if creates { try makeDirectories(path) }
        var status = linux_status()
        try SystemCallError.check("lstat", linux_status_at(AT_FDCWD, path, &status))
        guard status.is_directory != 0 else {
            throw refusal("The store's directory must be a directory, not a file or a symlink.", given)
        }
        let descriptor = linux_openat(AT_FDCWD, path, linux_open_directory, 0)
        guard descriptor != -EACCES else { throw refusal("The store's directory may not be read.", given) }
        let root = OpenFile(adopting: try SystemCallError.check("open", descriptor))
        let opened = try StoreDirectory.status(of: root)
        guard opened.owner == geteuid() else {
            throw refusal("The store's directory must belong to the user that the server runs as.", given)
        }
        guard opened.permissions & 0o077 == 0 else {
            throw refusal("The store's directory must have mode 0700: nobody else may reach into it.", given)
        }
        return root
    }

    /// Makes the directory and those above it; each that was made is synced into the one above.
    private static func makeDirectories(_ path: String) throws {
        var status = linux_status()
        guard linux_status_at(AT_FDCWD, path, &status) == -ENOENT else { return }
        let bytes = Array(path.utf8)
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let parent = slash.map { $0 == 0 ? "/" : String(decoding: bytes[..<$0], as: UTF8.self) } ?? "."
        if parent != "/", parent != "." { try makeDirectories(parent) }
        let result = linux_mkdirat(AT_FDCWD, path, 0o700)
        if result != -EEXIST { try SystemCallError.check("mkdir", result) }
        let above = linux_openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        try StoreDirectory.sync(OpenFile(adopting: try SystemCallError.check("open", above)))
    }

    private static func checkNeighbours(in root: OpenFile, _ path: String, allowed: [String]) throws {
        let allowed = allowed.map { Array($0.utf8) }
        try StoreDirectory.forEachName(in: root) { name in
            let isAllowed =
                name.starts(with: StoreIdentity.draft.utf8)
                || allowed.contains { pattern in
                    pattern.last == UInt8(ascii: "*")
                        ? name.starts(with: pattern.dropLast()) : name.elementsEqual(pattern)
                }
            guard isAllowed else {
                throw refusal("The store's directory holds other things and no store.id: it is not a store.", path)
            }
        }
    }

    private static func makeFolder(_ name: String, in directory: StoreDirectory) throws {
        try StoreDirectory.makeFolder(name, in: directory.root)
        _ = try directory.open(name, linux_open_directory)
    }

    private static func makeFolders(in directory: StoreDirectory) throws {
        for name in ["store", "containers", StagingFile.folder] { try makeFolder(name, in: directory) }
        try StoreDirectory.sync(directory.root)

        let store = try directory.open("store", linux_open_directory)
        for byte in UInt8.min...UInt8.max {
            let name = Hexadecimal.encode([byte])
            guard try !StoreDirectory.makeFolder(name, in: store) else { continue }
            // What is there must be a folder: a symlink that somebody planted is refused here.
            guard let status = try StoreDirectory.status(of: name, in: store), status.is_directory != 0 else {
                throw SystemCallError(call: "mkdirat", errno: ENOTDIR)
            }
        }
        try StoreDirectory.sync(store)
    }

    /// Checks that everything is there that a store has from its start.
    private static func findFolders(in directory: StoreDirectory) throws {
        for name in sharedFolders + ["containers", StagingFile.folder] {
            _ = try directory.open(name, linux_open_directory)
        }
    }

    private static func removeLeftovers(in directory: StoreDirectory) throws {
        let staging = try directory.open(StagingFile.folder, linux_open_directory)
        var leftovers: [String] = []
        try StoreDirectory.forEachName(in: staging) { name in
            guard leftovers.count < leftoversAtOnce, StagingFile.isName(name), try isLeftover(name, in: staging) else {
                return
            }
            leftovers.append(String(decoding: name, as: UTF8.self))
        }
        for name in leftovers { try StoreDirectory.removeFile(name, in: staging) }
    }

    /// Whether a name in the staging folder is that of a file which nobody has written to for more than a day, by the clock that
    /// dates the file.
    static func isLeftover(_ name: UnsafeRawBufferPointer, in staging: OpenFile) throws -> Bool {
        let name = String(decoding: name, as: UTF8.self)
        guard let status = try StoreDirectory.status(of: name, in: staging), status.is_file != 0 else { return false }
        return Timestamp.now().seconds - status.modified > Int64(leftoverAge)
    }
}

/// Which directory is meant, for operators.
struct UnusableDirectory: Error, CustomStringConvertible {
    let path: String
    let cause: SystemCallError?

    var description: String { path + (cause.map { ": \($0)" } ?? "") }
}
