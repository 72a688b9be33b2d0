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
    let defaults: ContainerLimits
    /// Those in force.
    let limits: ContainerLimits
    let replaced: Replacement

    /// What is asked for at a time where the length of a body is not known: not so much that one body keeps all others out.
    private var step: Int64 { min(64 << 20, max(1, (limits.bytes ?? .max) / 16)) }

    /// Sets room aside before the body comes; returns how many bytes of it may come.
    func grant(length: Int64?) async throws -> Int64 {
        guard let length else { return try await reserve(for: 0, ahead: step) }
        return try await reserve(for: length, ahead: 0)
    }

    /// Sets more room aside for a body that has come this far.
    func grow(to received: Int64) async throws -> Int64 {
        try await reserve(for: received, ahead: step)
    }

    private func reserve(for bytes: Int64, ahead: Int64) async throws -> Int64 {
        let needed = max(0, bytes - replaced.freed)
        do {
            let granted = try await metadata.reserve(
                UploadReservation(
                    upload: upload, container: container, needed: needed, wanted: needed + ahead,
                    addsFile: replaced.addsFile, limits: defaults))
            let (sum, overflows) = granted.addingReportingOverflow(replaced.freed)
            return overflows ? .max : sum
        } catch let error as StorageError where error.code == .quotaExceeded {
            // The commit decides, with nothing set aside.
            let longest = replaced.benefitOfDoubt(in: try await metadata.usage(of: container), limits)
            guard let longest, bytes <= longest else { throw error }
            return longest
        }
    }
}

extension ByteStream {
    /// The same bytes, with an error in place of the first chunk that goes beyond the limit.
    func limited(to limit: Int64, or error: StorageError? = nil) -> ByteStream {
        let whole = self
        return ByteStream(length: length, isReplayable: isReplayable) {
            var chunks = whole.makeAsyncIterator()
            var rest = limit
            return {
                guard let chunk = try await chunks.next() else { return nil }
                rest -= Int64(chunk.readableBytes)
                guard rest >= 0 else { throw error ?? FileStorage.tooLarge(limit) }
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
