import Glibc
import StorageCore
import Synchronization

/// Goes through a local folder and everything below it, one entry at a time, in the order in which the file system lists them.
///
/// # Behavior
///
/// - Names are bytes and stay what they are. Symlinks are never followed, whatever is swapped while the walk is under way.
/// - Memory and descriptors grow with the depth of the tree, never with the number of entries.
/// - What cannot be read or named is an entry of its own, and the walk goes on behind it.
final class FolderWalk: Sendable {
    /// Says which path an entry is to have, by its name relative to the root.
    typealias Naming = @Sendable (_ name: [UInt8]) throws -> FilePath

    private let levels: Mutex<[Level]>
    private let naming: Naming
    private let excluded: Set<LocalFolder.Identity>

    /// Begins at a folder that is open; blocks.
    ///
    /// - Parameter excluded: Files that are left out, and folders with everything below them.
    init(_ root: LocalFolder, excluding excluded: Set<LocalFolder.Identity> = [], naming: @escaping Naming) throws {
        self.naming = naming
        self.excluded = excluded
        let listing = try LocalListing(root.descriptor)
        levels = Mutex([Level(name: [], listing: listing)])
    }

    /// The next entry; nil at the end. Blocks.
    func next() -> FolderEntry? {
        levels.withLock { levels in
            while let level = levels.last {
                let name: [UInt8]?
                do throws(LocalFileError) {
                    name = try level.listing.next()
                } catch {
                    levels.removeLast()
                    return .refused(name: level.name, reason: error.description)
                }
                guard let name else {
                    levels.removeLast()
                    if !level.hasEntries, let path = try? naming(level.name) { return .emptyFolder(path) }
                    continue
                }
                if let entry = visit(name, in: level, &levels) { return entry }
            }
            return nil
        }
    }

    /// The entry that a name stands for; nil for a folder that is gone into instead.
    private func visit(_ name: [UInt8], in level: Level, _ levels: inout [Level]) -> FolderEntry? {
        let whole = level.name.isEmpty ? name : level.name + [UInt8(ascii: "/")] + name
        do {
            var status = try level.listing.status(of: name)
            guard !excluded.contains(LocalFolder.Identity(status)) else {
                return .skipped(name: whole, reason: "a part of the store itself")
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                let path = try naming(whole)
                let file = try level.listing.open(name, O_RDONLY | O_NONBLOCK)
                guard fstat(file.descriptor, &status) == 0 else { throw LocalFileError.ofLastCall }
                guard status.st_mode & S_IFMT == S_IFREG else {
                    return .skipped(name: whole, reason: Self.sort(of: status))
                }
                level.hasEntries = true
                return .file(LocalFile(name: whole, path: path, file: file, state: LocalFileState(status)))
            case S_IFDIR:
                _ = try naming(whole)
                let folder = try level.listing.open(name, O_RDONLY | O_DIRECTORY)
                level.hasEntries = true
                levels.append(Level(name: whole, listing: try LocalListing(folder.descriptor)))
                return nil
            default:
                return .skipped(name: whole, reason: Self.sort(of: status))
            }
        } catch let error as StorageError {
            return .refused(name: whole, reason: error.message)
        } catch {
            return .refused(name: whole, reason: "\(error)")
        }
    }

    private static func sort(of status: stat) -> String {
        switch status.st_mode & S_IFMT {
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        case S_IFBLK, S_IFCHR: "a device"
        default: "no file"
        }
    }

    private final class Level {
        let name: [UInt8]
        let listing: LocalListing
        /// Whether a file or folder was found in it.
        var hasEntries = false

        init(name: [UInt8], listing: LocalListing) {
            self.name = name
            self.listing = listing
        }
    }
}

/// The names in an open folder, and what they stand for.
private final class LocalListing {
    private let stream: OpaquePointer

    /// Lists by a descriptor of its own.
    init(_ folder: CInt) throws(LocalFileError) {
        let own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0 else { throw .ofLastCall }
        guard let stream = fdopendir(own) else {
            defer { close(own) }
            throw .ofLastCall
        }
        self.stream = stream
    }

    deinit {
        closedir(stream)
    }

    /// The next name but `.` and `..`; nil at the end.
    func next() throws(LocalFileError) -> [UInt8]? {
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .ofLastCall }
                return nil
            }
            let text = UnsafeRawPointer(entry).advanced(by: Self.nameOffset)
            let length = strlen(text.assumingMemoryBound(to: CChar.self))
            let name = Array(UnsafeRawBufferPointer(start: text, count: length))
            if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] { return name }
        }
    }

    private static let nameOffset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0

    func status(of name: [UInt8]) throws(LocalFileError) -> stat {
        var status = stat()
        guard fstatat(dirfd(stream), Self.text(of: name), &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw .ofLastCall }
        return status
    }

    func open(_ name: [UInt8], _ flags: CInt) throws(LocalFileError) -> OpenFile {
        let descriptor = openat(dirfd(stream), Self.text(of: name), flags | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .ofLastCall }
        return OpenFile(adopting: descriptor)
    }

    private static func text(of name: [UInt8]) -> [CChar] {
        name.map { CChar(bitPattern: $0) } + [0]
    }
}
