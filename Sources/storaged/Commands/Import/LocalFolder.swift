import Glibc
import StorageCore

/// A local folder that is open.
struct LocalFolder: Sendable {
    /// What makes a file or folder the same as another, whatever its name.
    struct Identity: Hashable, Sendable {
        private let device: UInt64
        private let inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }

        /// What has this name; nil when there is nothing.
        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            self.init(status)
        }
    }

    private let file: OpenFile

    var descriptor: CInt { file.descriptor }

    /// Opens a folder; a symlink to one is followed. Blocks.
    init(path: String) throws(LocalFileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .ofLastCall }
        file = OpenFile(adopting: descriptor)
    }

    /// Whether the folder is another one, or lies below it. Blocks.
    func isInside(_ other: Identity) throws(LocalFileError) -> Bool {
        var folder = file
        var last: Identity?
        while true {
            var status = stat()
            guard fstat(folder.descriptor, &status) == 0 else { throw .ofLastCall }
            let identity = Identity(status)
            if identity == other { return true }
            // The root is its own parent.
            if identity == last { return false }
            last = identity
            let parent = openat(folder.descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard parent >= 0 else { throw .ofLastCall }
            folder = OpenFile(adopting: parent)
        }
    }
}
