import StorageCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The right to serve a data directory, held by one process at a time.
///
/// # Behavior
///
/// - It lasts until ``release()``, the end of this value or the end of the process, however that comes.
/// - The file stays: removing it would let two processes hold a lock each, on the old file and on a new one.
package final class DataDirectoryLock: Sendable {
    private let held: Mutex<Int32?>

    /// Locks a directory that exists.
    ///
    /// - Throws: ``StorageError`` of code ``StorageError/Code/wrongStore`` when another process holds it, or when it cannot be
    ///   locked at all.
    package init(directory: String) throws {
        let path = directory + "/storaged.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(.wrongStore, "The data directory cannot be locked.", cause: SystemError(path))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            defer { close(descriptor) }
            guard errno == EWOULDBLOCK else {
                throw StorageError(.wrongStore, "The data directory cannot be locked.", cause: SystemError(path))
            }
            let holder = Self.holder(descriptor).map { "process \($0)" } ?? "another process"
            throw StorageError(.wrongStore, "The data directory is in use by \(holder).", cause: SystemError(path))
        }
        held = Mutex(descriptor)
        let text = "\(getpid())\n"
        // Only for the message above: the lock holds without it.
        if ftruncate(descriptor, 0) == 0 {
            _ = text.utf8CString.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, text.utf8.count, 0) }
        }
    }

    deinit {
        release()
    }

    /// Lets another process have the directory; again does nothing.
    package func release() {
        let descriptor = held.withLock { held in
            defer { held = nil }
            return held
        }
        if let descriptor { close(descriptor) }
    }

    private static func holder(_ descriptor: Int32) -> Int? {
        var buffer = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        var number = 0
        for byte in buffer.prefix(count) where byte != UInt8(ascii: "\n") {
            let digit = Int(byte) - Int(UInt8(ascii: "0"))
            guard (0...9).contains(digit), number < 1_000_000_000 else { return nil }
            number = number * 10 + digit
        }
        return number > 0 ? number : nil
    }
}
