import Foundation

/// A directory of a test's own, gone with its last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "storaged-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = url.path(percentEncoded: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// All files below the directory, relative to it, in order.
    var files: [String] {
        get throws {
            try FileManager.default.subpathsOfDirectory(atPath: path).filter { name in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
                    && !isFolder.boolValue
            }.sorted()
        }
    }

    /// What the open descriptors of this process that lead to files below the directory lead to, named or not.
    var openFiles: [String] {
        get throws { try descriptors.map(\.target) }
    }

    /// The bytes of the open files below the directory.
    var sizeOfOpenFiles: Int {
        get throws {
            try descriptors.reduce(0) { sum, entry in
                var status = stat()
                guard fstat(entry.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return sum }
                return sum + Int(status.st_size)
            }
        }
    }

    private var descriptors: [(number: CInt, target: String)] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                guard let number = CInt(name), let target, target.hasPrefix("\(path)/") else { return nil }
                return (number, target)
            }
        }
    }
}
