internal import CLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The directory that a store lives in, opened once: every name is resolved below it and nowhere else.
///
/// Symlinks, magic links and mount points inside the store are never followed, whoever planted them: by `openat2`, or where the
/// kernel has none by a walk that opens each part with `O_NOFOLLOW`. All methods block but ``openCached(_:)``.
struct StoreDirectory: Sendable {
    /// The directory itself.
    let root: OpenFile
    /// Whether paths are resolved by `openat2`.
    let usesOpenat2: Bool
    private let device: UInt64

    /// Takes over the opened directory.
    init(root: OpenFile, allowsOpenat2: Bool) throws(SystemCallError) {
        self.root = root
        device = try Self.status(of: root).device
        usesOpenat2 = allowsOpenat2 && Self.hasOpenat2(root)
    }

    private static func hasOpenat2(_ root: OpenFile) -> Bool {
        let probe = linux_openat2(root.descriptor, ".", linux_open_path, 0, linux_resolve_contained)
        guard probe >= 0 else { return false }
        close(probe)
        return true
    }

    /// Opens a relative path.
    func open(_ path: String, _ flags: CInt, mode: CUnsignedInt = 0) throws(SystemCallError) -> OpenFile {
        guard usesOpenat2 else { return try walk(path, flags, mode: mode) }
        let descriptor = linux_openat2(root.descriptor, path, flags, mode, linux_resolve_contained)
        return OpenFile(adopting: try SystemCallError.check("openat2", descriptor))
    }

    /// Opens a relative path; nil when the file or a folder above it is not there.
    func openIfPresent(_ path: String, _ flags: CInt) throws(SystemCallError) -> OpenFile? {
        do {
            return try open(path, flags)
        } catch  where error.errno == ENOENT {
            return nil
        }
    }

    /// What lies where a folder is expected.
    enum FolderLook {
        case folder(OpenFile)
        case absent
        /// A file, a symlink, a mount point: nothing that the store made.
        case somethingElse
    }

    /// Looks for a folder.
    func look(for path: String) throws(SystemCallError) -> FolderLook {
        do {
            return .folder(try open(path, linux_open_directory))
        } catch {
            switch error.errno {
            case ENOENT: return .absent
            case ENOTDIR, ELOOP, EXDEV: return .somethingElse
            default: throw error
            }
        }
    }

    /// What an attempt without I/O brought to light.
    enum CachedOpening {
        case opened(OpenFile)
        case absent
        /// Not to be told, or not to be had, without blocking.
        case unknown
    }

    /// Opens a relative path as far as that is possible from the kernel's caches; never blocks.
    func openCached(_ path: String, _ flags: CInt) -> CachedOpening {
        guard usesOpenat2 else { return .unknown }
        let descriptor = linux_openat2(root.descriptor, path, flags, 0, linux_resolve_cached)
        if descriptor >= 0 { return .opened(OpenFile(adopting: descriptor)) }
        return descriptor == -ENOENT ? .absent : .unknown
    }

    private func walk(_ path: String, _ flags: CInt, mode: CUnsignedInt) throws(SystemCallError) -> OpenFile {
        var parent = root
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        for part in parts.dropLast() {
            parent = try Self.open(part, in: parent, linux_open_path | O_DIRECTORY, mode: 0)
            try checkDevice(of: parent)
        }
        let file = try Self.open(parts.last ?? ".", in: parent, flags, mode: mode)
        try checkDevice(of: file)
        return file
    }

    private func checkDevice(of file: OpenFile) throws(SystemCallError) {
        guard try Self.status(of: file).device == device else { throw SystemCallError(call: "openat", errno: EXDEV) }
    }

    private static func open(
        _ name: String, in folder: OpenFile, _ flags: CInt, mode: CUnsignedInt
    ) throws(SystemCallError) -> OpenFile {
        OpenFile(adopting: try SystemCallError.check("openat", linux_openat(folder.descriptor, name, flags, mode)))
    }
}

extension StoreDirectory {
    /// What is known of an opened file.
    static func status(of file: OpenFile) throws(SystemCallError) -> linux_status {
        var status = linux_status()
        try SystemCallError.check("fstat", linux_status(file.descriptor, &status))
        return status
    }

    /// What is known of a name in a folder; nil when it is not there.
    static func status(of name: String, in folder: OpenFile) throws(SystemCallError) -> linux_status? {
        var status = linux_status()
        let result = linux_status_at(folder.descriptor, name, &status)
        guard result != -ENOENT else { return nil }
        try SystemCallError.check("fstatat", result)
        return status
    }

    /// Makes a folder for the server's user alone; returns false when the name exists.
    @discardableResult
    static func makeFolder(_ name: String, in parent: OpenFile) throws(SystemCallError) -> Bool {
        let result = linux_mkdirat(parent.descriptor, name, 0o700)
        guard result != -EEXIST else { return false }
        try SystemCallError.check("mkdirat", result)
        return true
    }

    /// Removes a name that is not a folder's; one that is not there is fine.
    static func removeFile(_ name: String, in folder: OpenFile) throws(SystemCallError) {
        let result = linux_unlinkat(folder.descriptor, name)
        guard result != -ENOENT else { return }
        try SystemCallError.check("unlinkat", result)
    }

    /// Makes what was done in a folder, or written to a file, survive a power cut. Never to be repeated after a failure.
    static func sync(_ file: OpenFile) throws(SyncError) {
        let result = linux_fsync(file.descriptor)
        guard result == 0 else { throw SyncError(beneath: "fsync", -result) }
    }

    /// The bytes that may still be written.
    func availableBytes() throws(SystemCallError) -> Int64 {
        var available: Int64 = 0
        try SystemCallError.check("fstatvfs", linux_available_bytes(root.descriptor, &available))
        return available
    }
}
