internal import CLinux
import FoundationEssentials
package import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file without a name, for bytes that are written first and read afterwards: gone with its last reference, and with the process.
///
/// All methods block.
package final class ScratchFile: Sendable {
    private let file: OpenFile

    /// Makes the file.
    ///
    /// - Parameter directory: Where; it must be there.
    /// - Throws: ``StorageError/Code/insufficientStorage`` and what else a disk may say, here and below.
    package init(in directory: String) throws {
        file = try Self.translating {
            let unnamed = linux_openat(AT_FDCWD, directory, linux_open_unnamed, 0o600)
            return unnamed >= 0 ? OpenFile(adopting: unnamed) : try Self.makeNamed(in: directory)
        }
    }

    /// Where the system has what is temporary: `TMPDIR`, or `/tmp`.
    package static var systemDirectory: String {
        FileManager.default.temporaryDirectory.path
    }

    /// For file systems that know no files without a name: one that loses its name at once.
    private static func makeNamed(in directory: String) throws(SystemCallError) -> OpenFile {
        let name = "\(directory)/.scratch-\(Identifier<ScratchFile>.random())"
        let named = try SystemCallError.check("openat", linux_openat(AT_FDCWD, name, linux_open_create, 0o600))
        let file = OpenFile(adopting: named)
        try SystemCallError.check("unlinkat", linux_unlinkat(AT_FDCWD, name))
        return file
    }

    /// Writes bytes behind those that are there.
    package func append(_ bytes: ByteBuffer) throws {
        try Self.translating {
            try bytes.withUnsafeReadableBytes { try StagingFile.writeAll($0, to: file) }
        }
    }

    /// Exactly `count` bytes from an offset on, all of which were written.
    package func bytes(at offset: Int64, count: Int) throws -> ByteBuffer {
        try Self.translating { try LocalDiskBlobStore.bytes(of: file, at: offset, count: count) }
    }

    private static func translating<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as SystemCallError {
            throw error.storageError
        }
    }
}
