import NIOCore
import StorageCore
import Synchronization

/// A body that waits to be published: a small one in memory, a large one in the spool.
final class S3Staged: StagedHandle {
    /// Where the bytes are.
    enum Bytes: Sendable {
        case memory(ByteBuffer)
        case spool(StagedBlob)
    }

    private let owner: S3Spool
    private let held: Mutex<Bytes?>

    init(_ bytes: Bytes, in owner: S3Spool) {
        self.owner = owner
        held = Mutex(bytes)
    }

    /// The bytes; nil after they were given back.
    var bytes: Bytes? { held.withLock { $0 } }

    func belongs(to spool: S3Spool) -> Bool { owner === spool }

    /// Lets go of the bytes, and returns them the first time.
    func release() -> Bytes? { held.withLock { $0.take() } }
}
