internal import CLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A system call that failed.
struct SystemCallError: Error, CustomStringConvertible {
    /// The name of the call.
    let call: String
    /// What the kernel said.
    let errno: CInt

    var description: String { "\(call): \(String(cString: strerror(errno))) (\(errno))" }

    /// Checks the result of one of CLinux's functions, which is the negated errno when it is negative.
    @discardableResult
    static func check<Result: SignedInteger>(_ call: String, _ result: Result) throws(SystemCallError) -> Result {
        guard result < 0 else { return result }
        throw SystemCallError(call: call, errno: CInt(truncatingIfNeeded: -result))
    }

    /// Whether the disk, or the owner's share of it, is full.
    var isForWantOfRoom: Bool { errno == ENOSPC || errno == EDQUOT }

    /// The same failure in terms of the domain.
    var storageError: StorageError {
        switch errno {
        case ENOSPC, EDQUOT:
            StorageError(.insufficientStorage, "The store has no room for it.", cause: self)
        case EMFILE, ENFILE, ENOMEM, EAGAIN, EROFS:
            StorageError(.unavailable, "The store cannot do it now.", isTransient: errno != EROFS, cause: self)
        case ELOOP, EXDEV, ENOTDIR:
            StorageError(.wrongStore, "A part of the store is not what the server made it.", cause: self)
        default:
            StorageError(.internal, "The store could not read or write.", cause: self)
        }
    }
}

/// A failed sync: the kernel has forgotten bytes that it could not write, so it is never tried again.
struct SyncError: Error {
    let failure: SystemCallError

    init(beneath call: String, _ errno: CInt) {
        failure = SystemCallError(call: call, errno: errno)
    }
}
