import NIOCore
import Synchronization

/// Bytes that were taken in whole and durably, but belong to no file yet.
public final class StagedUpload: Sendable {
    /// The digest of the bytes.
    public var digest: BlobDigest { blob.digest }
    /// The number of bytes.
    public var size: Int64 { blob.size }

    let id: UploadID
    let blob: StagedBlob
    private let hasRoom: Bool
    private let wasUsed = Atomic(false)

    /// - Parameter hasRoom: Whether room is set aside in the container under this id.
    init(id: UploadID, blob: StagedBlob, hasRoom: Bool) {
        self.id = id
        self.blob = blob
        self.hasRoom = hasRoom
    }

    /// The attempt to commit the bytes: their own, which may have room set aside; a new one for every further path.
    func attempt() -> UploadID {
        wasUsed.exchange(true, ordering: .relaxed) ? UploadID() : id
    }

    /// Whether room is still set aside that no commit has taken.
    var holdsRoom: Bool { hasRoom && !wasUsed.load(ordering: .relaxed) }
}

/// Room for an upload in a container with a limit.
struct UploadRoom: Sendable {
    let metadata: any MetadataStore
    let upload: UploadID
    let container: ContainerID
    /// Where the container has none of its own.
    let limits: ContainerLimits
    /// Bytes of the file that is going to be replaced: they make room themselves.
    let freed: Int64
    let addsFile: Bool

    /// What is asked for at a time where the length of a body is not known.
    private static let step: Int64 = 64 << 20

    /// Sets room aside before the body comes; returns how many bytes of it may come.
    func grant(length: Int64?) async throws -> Int64 {
        guard let length else { return try await reserve(needed: 0, wanted: Self.step) }
        let bytes = max(0, length - freed)
        return try await reserve(needed: bytes, wanted: bytes)
    }

    /// Sets more room aside for a body that has come this far.
    func grow(to received: Int64) async throws -> Int64 {
        let needed = max(0, received - freed)
        return try await reserve(needed: needed, wanted: needed + Self.step)
    }

    private func reserve(needed: Int64, wanted: Int64) async throws -> Int64 {
        let granted = try await metadata.reserve(
            UploadReservation(
                upload: upload, container: container, needed: needed, wanted: wanted, addsFile: addsFile, limits: limits
            ))
        return granted.addingReportingOverflow(freed).overflow ? .max : granted + freed
    }
}

extension ByteStream {
    /// The same bytes, with an error in place of the first chunk that goes beyond the limit.
    func limited(to limit: Int64) -> ByteStream {
        let whole = self
        return ByteStream(length: length, isReplayable: isReplayable) {
            var chunks = whole.makeAsyncIterator()
            var rest = limit
            return {
                guard let chunk = try await chunks.next() else { return nil }
                rest -= Int64(chunk.readableBytes)
                guard rest >= 0 else { throw FileStorage.tooLarge(limit) }
                return chunk
            }
        }
    }

    /// The same bytes, with more room asked for when what was granted is used up.
    func within(_ room: UploadRoom, granted: Int64) -> ByteStream {
        let whole = self
        return ByteStream(length: length, isReplayable: isReplayable) {
            var chunks = whole.makeAsyncIterator()
            var received: Int64 = 0
            var granted = granted
            return {
                guard let chunk = try await chunks.next() else { return nil }
                received += Int64(chunk.readableBytes)
                if received > granted { granted = try await room.grow(to: received) }
                return chunk
            }
        }
    }
}
