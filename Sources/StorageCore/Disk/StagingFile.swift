internal import CLinux
import NIOCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A body on its way into a store on disk, and afterwards the hold on its bytes.
///
/// The file has no name where the file system can do that (`O_TMPFILE`), so that a crash leaves nothing; elsewhere it has a
/// random one in the folder `staging`, which goes with the last reference. All methods block.
final class StagingFile: StagedHandle {
    /// The folder of files that have a name.
    static let folder = "staging"

    private static let nameBytes = 16

    private struct State: ~Copyable {
        var file: OpenFile?
        var hasher: SHA256Hasher?
        var size: Int64 = 0
        var allocated: Int64 = 0
        var flushed: Int64 = 0
    }

    private static let step: Int64 = 64 << 20

    private let directory: StoreDirectory
    private let isDurable: Bool
    private let length: Int64?
    private let reserve: Int64
    private let name: String?
    private let failed = Atomic<Bool>(false)
    // Never contended: a body's batches are written one after the other.
    private let state: Mutex<State>

    /// Makes the file.
    ///
    /// - Parameters:
    ///   - isNamed: Whether the file system cannot make files without a name.
    ///   - isDurable: Whether the bytes are to survive a power cut once they are whole.
    ///   - length: The number of bytes to come, where it is known.
    ///   - reserve: The number of bytes of the file system that the body must leave free.
    init(
        in directory: StoreDirectory, isNamed: Bool, isDurable: Bool = true, length: Int64?, reserve: Int64
    ) throws {
        self.directory = directory
        self.isDurable = isDurable
        self.length = length
        self.reserve = reserve
        let file: OpenFile
        if isNamed {
            let name = "\(Self.folder)/\(Hexadecimal.encode(try SHA256.randomBytes(Self.nameBytes)))"
            file = try directory.open(name, linux_open_create, mode: 0o600)
            self.name = name
        } else {
            file = try directory.open(".", linux_open_unnamed, mode: 0o600)
            name = nil
        }
        state = Mutex(State(file: file, hasher: try SHA256Hasher()))
    }

    deinit {
        release()
    }

    /// Closes the file, which frees its bytes unless they were published; again is fine.
    func release() {
        let file = state.withLock { $0.file.take() }
        if file != nil, let name { _ = linux_unlinkat(directory.root.descriptor, name) }
    }

    /// Whether a write failed, so that more bytes need not be waited for.
    var hasFailed: Bool { failed.load(ordering: .relaxed) }

    /// The number of bytes that were written so far.
    var size: Int64 { state.withLock { $0.size } }

    /// Appends the chunks to the file and to the message that is hashed.
    func write(_ chunks: [ByteBuffer]) throws {
        do {
            try state.withLock { state in
                guard let file = state.file else { throw Self.released }
                for chunk in chunks {
                    try chunk.withUnsafeReadableBytes { try append($0, to: file, state: &state) }
                }
            }
        } catch {
            failed.store(true, ordering: .relaxed)
            throw error
        }
    }

    private func append(_ bytes: UnsafeRawBufferPointer, to file: OpenFile, state: inout State) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // A slice is hashed and written while it is in the processor's cache.
            let slice = UnsafeRawBufferPointer(rebasing: rest.prefix(256 * 1_024))
            try state.hasher?.update(slice)
            try makeRoom(for: Int64(slice.count), in: file, state: &state)
            try Self.writeAll(slice, to: file)
            state.size += Int64(slice.count)
            try flush(file, state: &state)
            rest = rest.dropFirst(slice.count)
        }
    }

    /// Appends bytes to a file, whatever number of calls it takes.
    static func writeAll(_ bytes: UnsafeRawBufferPointer, to file: OpenFile) throws {
        var rest = bytes
        while !rest.isEmpty {
            let written = try SystemCallError.check("write", linux_write(file.descriptor, rest.baseAddress, rest.count))
            guard written > 0 else { throw SystemCallError(call: "write", errno: EIO) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// Before every 64 MiB of a body, looks whether the disk has room for them and asks for their blocks where it is known
    /// that they will come: extents get long, and a full disk shows early.
    ///
    /// In steps, so that a client which announces much and sends little does not hold the disk.
    private func makeRoom(for count: Int64, in file: OpenFile, state: inout State) throws(SystemCallError) {
        guard state.size + count > state.allocated else { return }
        let start = state.allocated
        state.allocated += Self.step
        let rest = length.map { $0 - start } ?? 0
        // A body of one step was looked at before its first byte.
        if start > 0, try directory.availableBytes() < min(rest, Self.step) + reserve {
            throw SystemCallError(call: "fstatvfs", errno: ENOSPC)
        }
        guard rest > 1 << 20 else { return }
        let result = linux_fallocate_ahead(file.descriptor, start, min(rest, Self.step))
        // A file system that cannot do it does without.
        if result == -ENOSPC || result == -EDQUOT || result == -EIO { try SystemCallError.check("fallocate", result) }
    }

    /// Has the kernel begin to write in the background, so that the final sync finds little left to do.
    private func flush(_ file: OpenFile, state: inout State) throws(SyncError) {
        let pending = state.size - state.flushed
        guard isDurable, pending >= 8 << 20 else { return }
        let result = linux_start_writeback(file.descriptor, state.flushed, pending)
        state.flushed = state.size
        if result == -EIO || result == -ENOSPC || result == -EDQUOT {
            throw SyncError(beneath: "sync_file_range", -result)
        }
    }

    /// Ends the body: on return its bytes are durable, unless nobody wants them to be.
    func finish() throws -> (digest: BlobDigest, size: Int64) {
        try state.withLock { state in
            guard let file = state.file, let hasher = state.hasher.take() else { throw Self.released }
            if let length, length != state.size { throw Self.wrongLength(state.size, announced: length) }
            let digest = try hasher.finalize()
            if isDurable { try StoreDirectory.sync(file) }
            return (digest, state.size)
        }
    }

    /// The open file, to read from; it stays readable when this lets go of it.
    func opened() throws -> OpenFile {
        guard let file = state.withLock({ $0.file }) else { throw Self.released }
        return file
    }

    /// Gives the bytes a name in a folder; false when the name exists.
    func link(as leaf: String, in folder: OpenFile) throws -> Bool {
        guard let file = state.withLock({ $0.file }) else { throw Self.released }
        let result =
            if let name {
                linux_linkat(directory.root.descriptor, name, folder.descriptor, leaf)
            } else {
                linux_linkat_descriptor(file.descriptor, folder.descriptor, leaf)
            }
        guard result != -EEXIST else { return false }
        try SystemCallError.check("linkat", result)
        return true
    }

    /// Whether a name in ``folder`` may be one that this type gave.
    static func isName(_ name: UnsafeRawBufferPointer) -> Bool {
        name.count == 2 * nameBytes && Hexadecimal.decode(name) != nil
    }

    /// Whether the bytes lie in a store on this directory.
    func belongs(to other: StoreDirectory) -> Bool {
        directory.root === other.root
    }

    /// The refusal of a body that is not as long as was announced.
    static func wrongLength(_ size: Int64, announced length: Int64) -> StorageError {
        StorageError(.unprocessable, "The body has not the \(length) bytes that were announced, but \(size) or more.")
    }

    private static let released = StorageError(.internal, "The body was given back already.")
}
