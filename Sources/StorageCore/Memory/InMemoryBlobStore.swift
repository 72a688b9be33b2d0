import NIOCore
import Synchronization

/// A blob store that lives and ends with its process: for unit tests and for trials.
///
/// Keeps every rule of ``BlobStore`` but durability. Bodies are held whole in memory, which no other store may do.
public final class InMemoryBlobStore: BlobStore {
    private let blobs = Mutex(SortedMap<BlobKey, ByteBuffer>())

    /// Makes an empty store.
    public init() {}

    /// Takes a whole body in.
    ///
    /// - Throws: ``StorageError/Code/unprocessable`` for a body that is not as long as it says, and what the body throws.
    public func stage(_ body: ByteStream) async throws -> StagedBlob {
        var bytes = ByteBuffer()
        var hasher = try SHA256Hasher()
        for try await var chunk in body {
            try hasher.update(chunk)
            bytes.writeBuffer(&chunk)
        }
        let size = Int64(bytes.readableBytes)
        if let length = body.length, length != size {
            throw StorageError(.unprocessable, "The body has not the \(length) bytes that were announced, but \(size).")
        }
        return StagedBlob(digest: try hasher.finalize(), size: size, handle: StagedBytes(store: self, bytes))
    }

    /// Makes staged bytes visible under the key.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        guard let handle = staged.handle as? StagedBytes, handle.store === self, let bytes = handle.bytes else {
            throw StorageError(.internal, "The staged bytes are not, or not any more, in this store.")
        }
        try blobs.withLock { blobs in
            if let present = blobs[key] {
                guard present.readableBytes == bytes.readableBytes else {
                    throw StorageError(.blobMismatch, "The key holds bytes of another size.")
                }
            } else {
                blobs[key] = bytes
            }
        }
    }

    /// Gives back what a staged blob holds.
    public func discard(_ staged: StagedBlob) async {
        (staged.handle as? StagedBytes)?.discard()
    }

    /// Opens a blob for reading; the content stays readable after a ``remove(_:)``.
    public func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        guard let bytes = blobs.withLock({ $0[key] }) else { return nil }
        let size = Int64(bytes.readableBytes)
        let part = (range ?? 0..<size).clamped(to: 0..<size)
        var rest = bytes
        rest.moveReaderIndex(forwardBy: Int(part.lowerBound))
        let slice = rest.readSlice(length: part.count) ?? ByteBuffer()
        return BlobContent(size: size, range: part, body: .bytes(slice))
    }

    /// The size of a blob.
    public func info(for key: BlobKey) async throws -> BlobInfo? {
        blobs.withLock { blobs in blobs[key].map { BlobInfo(size: Int64($0.readableBytes)) } }
    }

    /// Deletes a blob.
    public func remove(_ key: BlobKey) async throws {
        blobs.withLock { $0[key] = nil }
    }

    /// Answers at once.
    public func ping() async throws {}

    /// At most `limit` keys after the given one.
    public func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        blobs.withLock { blobs in
            let start = key.map { key in blobs.position { $0 <= key } } ?? 0
            return Array(blobs.keys[start...].prefix(max(limit, 0)))
        }
    }

    /// Nothing: there is no place where anything else could lie.
    public func strays(limit: Int) async throws -> [Stray] { [] }
}

/// Bytes that wait to be published.
private final class StagedBytes: StagedHandle {
    let store: InMemoryBlobStore
    private let held: Mutex<ByteBuffer?>

    init(store: InMemoryBlobStore, _ bytes: ByteBuffer) {
        self.store = store
        held = Mutex(bytes)
    }

    /// The bytes; nil after they were discarded.
    var bytes: ByteBuffer? { held.withLock { $0 } }

    func discard() {
        held.withLock { $0 = nil }
    }
}
