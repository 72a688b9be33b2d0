import StorageCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The file of a database, before SQLite has opened it.
enum DatabaseFile {
    /// Makes the file, or takes the rights of others from it; SQLite gives its log and index the rights of the database.
    ///
    /// A file that exists is not opened: closing it again would drop the locks that this process has on it.
    static func prepare(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
            return try syncDirectory(of: path)
        }
        guard errno == EEXIST else { throw refusal("cannot be made", path) }
        try find(path)
        for file in [path, path + "-wal", path + "-shm"] {
            // Not there, or not ours to change: whether it can be used shows when it is opened.
            _ = chmod(file, 0o600)
        }
    }

    /// Refuses a file that is not there, and what is no file; changes nothing.
    static func find(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw refusal("cannot be found", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(.wrongStore, "The database file is not a regular file.")
        }
    }

    /// Opens the file while nobody else does, in this process or another; waits for them.
    ///
    /// The lock is that of a file beside it, which stays and which nobody else has a reason to lock: a lock of the database itself would
    /// end with any other descriptor that this process closes. Where a file system has no such locks nobody waits.
    ///
    /// - Parameter makesLock: Whether the file may be made; where it is not there, nobody has made the database either.
    static func oneAtATime<Database>(
        _ path: String, makesLock: Bool, _ body: () throws -> Database
    ) throws -> Database {
        let descriptor = open(path + "-open.lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW | (makesLock ? O_CREAT : 0), 0o600)
        defer { if descriptor >= 0 { close(descriptor) } }
        while descriptor >= 0, flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
        return try body()
    }

    /// A new name is safe from a power cut only when its directory is synced.
    private static func syncDirectory(of path: String) throws {
        let descriptor = try openDirectory(of: path)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw refusal("has a directory that cannot be synced", path) }
    }

    private static func openDirectory(of path: String) throws -> Int32 {
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.utf8.startIndex
        let directory = end == path.utf8.startIndex ? "/" : String(path[..<end])
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw refusal("has a directory that cannot be opened", path) }
        return descriptor
    }

    private static func refusal(_ reason: String, _ path: String) -> StorageError {
        StorageError(.wrongStore, "The database file \(reason).", cause: SystemError(path))
    }
}
