import Glibc
import StorageCore

/// One thing that was found in a local folder.
enum FolderEntry: Sendable {
    /// A regular file, opened.
    case file(LocalFile)
    /// A folder that holds nothing to be imported.
    case emptyFolder(FilePath)
    /// Something that is neither file nor folder.
    case skipped(name: [UInt8], reason: String)
    /// A file or folder that cannot be read, or whose name cannot be a path.
    case refused(name: [UInt8], reason: String)
}

/// A local file, open for reading, and the path that it is to have.
struct LocalFile: Sendable {
    /// Relative to the folder that is imported.
    let name: [UInt8]
    let path: FilePath
    let file: OpenFile
    /// What the file was when it was opened.
    let state: LocalFileState
}

/// What changes when somebody writes to a file.
struct LocalFileState: Equatable, Sendable {
    let size: Int64
    private let modified: Timestamp
    private let changed: Timestamp

    init(_ status: stat) {
        size = Int64(status.st_size)
        modified = Timestamp(status.st_mtim)
        changed = Timestamp(status.st_ctim)
    }

    init(of file: OpenFile) throws(LocalFileError) {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else { throw .ofLastCall }
        self.init(status)
    }
}

extension Timestamp {
    fileprivate init(_ time: timespec) {
        self.init(microseconds: Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1_000)
    }
}

/// A local file or folder that could not be read.
struct LocalFileError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// What the last system call of this thread said.
    static var ofLastCall: LocalFileError { LocalFileError(String(cString: strerror(errno))) }
}
