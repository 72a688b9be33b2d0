import Glibc

/// Reads small files of settings.
enum SettingsFile {
    /// A file that cannot be read as settings: what people are told about it.
    struct Failure: Error, Equatable {
        let reason: String
    }

    static let maximumSize = 1 << 20

    /// The bytes of the file, or `nil` when there is none of this name.
    ///
    /// Blocks while a pipe has no more bytes. Throws for a folder, a file that may not be read, and more than 1 MiB.
    static func read(_ path: String) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Failure(reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw Failure(reason: String(cString: strerror(errno)))
            }
            bytes += chunk[..<count]
            guard bytes.count <= maximumSize else { throw Failure(reason: "larger than 1 MiB") }
        }
    }
}
