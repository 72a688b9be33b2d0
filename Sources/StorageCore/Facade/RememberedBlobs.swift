import Synchronization

/// Which blob a file had when it was last read: a guess whether the bytes of the next reader are in memory.
final class RememberedBlobs: Sendable {
    private static let capacity = 4_096

    private let blobs = Mutex(LRUCache<FileSelector, BlobKey>(capacity: capacity))

    func blob(of selector: FileSelector) -> BlobKey? {
        blobs.withLock { $0.value(for: selector) }
    }

    func forget(_ selector: FileSelector) {
        blobs.withLock { $0.remove(selector) }
    }

    func remember(_ blob: BlobKey, of selector: FileSelector) {
        blobs.withLock { $0.insert(blob, for: selector) }
    }
}
