import Logging
import NIOCore

/// A file as it is to be stored.
public struct NewFile: Sendable {
    /// Where it is to be.
    public var path: FilePath
    /// What the bytes are; as the name says, where nothing is known.
    public var mediaType: MediaType?
    /// The name that the client sent them under, if any.
    public var sentName: String?
    /// What must hold.
    public var precondition: Precondition
    /// Makes the file readable without credentials under a name.
    public var link: Link?

    /// Describes a file to be stored.
    public init(
        path: FilePath, mediaType: MediaType? = nil, sentName: String? = nil, precondition: Precondition = .none,
        link: Link? = nil
    ) {
        self.path = path
        self.mediaType = mediaType
        self.sentName = sentName
        self.precondition = precondition
        self.link = link
    }
}

/// Storing bytes: room set aside, body to staging with its digest running, claim, publish, commit, and only then success.
extension FileStorage {
    /// Stores a body at a path: a new file, or a new revision of the one that is there.
    ///
    /// What can be refused without the body is refused before its first byte is asked for; see ``admit(_:length:as:)``. On return the file is durable; on a
    /// throw nothing of it is visible. The same bytes, media type and sent name again change nothing.
    ///
    /// - Returns: ``FileChangeResult/created(_:)`` or ``FileChangeResult/updated(_:)``.
    /// - Throws: ``StorageError/Code/tooLarge``, ``StorageError/Code/pathConflict``,
    ///   ``StorageError/Code/preconditionFailed``, ``StorageError/Code/quotaExceeded``,
    ///   ``StorageError/Code/insufficientStorage``; whatever the body throws.
    public func put(_ file: NewFile, body: ByteStream, as principal: Principal) async throws -> FileChangeResult {
        let existing = try await admit(file, length: body.length, as: principal)
        let staged = try await stage(body, as: principal, replacing: existing.map { .file($0) } ?? .nothing)
        return try await discarding(staged) { try await put(file, staged: staged, as: principal) }
    }

    /// Runs a body and gives back what a staged upload holds, whatever happens.
    private func discarding<Result>(
        _ staged: StagedUpload, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body()
            await discard(staged)
            return result
        } catch {
            await discard(staged)
            throw error
        }
    }

    /// Takes a body in without making it visible: for callers that learn only afterwards where it is to go.
    ///
    /// Where the principal's container has a limit, room is set aside for the body: at once where its length is known, in steps as
    /// it comes where not. Must end with ``discard(_:)``, after any number of ``put(_:staged:as:)``.
    ///
    /// A body whose digest is not the one that was promised for it (``ByteStream/confirming(_:)``) is given back at once.
    ///
    /// - Parameters:
    ///   - body: The bytes to come.
    ///   - principal: Whose file they are going to be.
    ///   - replaced: What is known of the file that they are going to replace.
    /// - Throws: ``StorageError/Code/quotaExceeded``; whatever the body throws.
    public func stage(
        _ body: ByteStream, as principal: Principal, replacing replaced: Replacement = .nothing
    ) async throws -> StagedUpload {
        let upload = UploadID()
        let limited = body.limited(to: policy.uploadSize)
        let defaults = defaultLimits(of: principal)
        let limits = (container(of: principal)?.limits ?? .none).inForce(defaults: defaults)
        guard limits != .none else {
            return StagedUpload(id: upload, blob: try await take(limited, confirm: body.confirm), hasRoom: false)
        }
        guard let container = container(of: principal) else {
            // A container is made by the first file in it, not by a body that comes to nothing.
            try await admitRoom(for: body.length ?? 0, replacing: .nothing, as: principal)
            let inRoom = limited.limited(to: limits.bytes ?? .max, or: .quotaExceeded(limits))
            return StagedUpload(id: upload, blob: try await take(inRoom, confirm: body.confirm), hasRoom: false)
        }
        let room = UploadRoom(
            metadata: metadata, upload: upload, container: container.id, defaults: defaults, limits: limits,
            replaced: replaced)
        do {
            let inRoom = limited.within(room, granted: try await room.grant(length: body.length))
            let blob = try await withHeartbeat(of: upload) { try await take(inRoom, confirm: body.confirm) }
            return StagedUpload(id: upload, blob: blob, hasRoom: true)
        } catch {
            await giveUp(upload, claim: nil, after: error)
            throw error
        }
    }

    private func take(
        _ body: ByteStream, confirm: (@Sendable (BlobDigest) throws -> Void)?
    ) async throws -> StagedBlob {
        let staged = try await blobs.stage(body)
        do {
            try confirm?(staged.digest)
            return staged
        } catch {
            await blobs.discard(staged)
            throw error
        }
    }

    /// Gives back what a staged body holds.
    public func discard(_ staged: StagedUpload) async {
        await blobs.discard(staged.blob)
        if staged.holdsRoom { await giveUp(staged.id, claim: nil, after: nil) }
    }

    /// Refuses what is known to fail before a body is read; the commit decides in the end.
    ///
    /// A short body, for which the look would cost more than the body, is taken in where nothing is known without asking.
    ///
    /// - Parameters:
    ///   - file: The file as it is to be stored.
    ///   - length: The number of bytes to come, where it is known.
    ///   - principal: Whose file it is to be.
    /// - Returns: The file that is going to be replaced, if there is one and it was looked for.
    @discardableResult
    public func admit(_ file: NewFile, length: Int64?, as principal: Principal) async throws -> FileRecord? {
        if let length, length > policy.uploadSize { throw Self.tooLarge(policy.uploadSize) }
        if file.link?.kind != .hash { try refuseReserved(file.path, for: principal) }
        guard let container = container(of: principal) else {
            try file.precondition.check(nil)
            return nil
        }
        let isUnlimited = container.limits.inForce(defaults: defaultLimits(of: principal)) == .none
        if let length, length <= .smallBlob, isUnlimited, file.precondition == .none {
            if let parent = file.path.parent, let above = metadata.recall(.path(container.id, parent)), !above.isFolder
            {
                throw Self.isFile(parent)
            }
            return nil
        }
        let existing = try await metadata.file(.path(container.id, file.path))
        try file.precondition.check(existing)
        if existing == nil, let parent = file.path.parent {
            let above = try await metadata.file(.path(container.id, parent))
            if let above, !above.isFolder {
                throw Self.isFile(parent)
            }
        }
        return existing
    }

    /// Refuses a body that cannot fit into the principal's container, before its first byte is asked for.
    ///
    /// - Parameters:
    ///   - bytes: The least number of bytes that are going to be stored.
    ///   - replaced: What is known of the file that they are going to replace.
    ///   - principal: Whose container it is.
    /// - Throws: ``StorageError/Code/quotaExceeded``.
    public func admitRoom(for bytes: Int64, replacing replaced: Replacement, as principal: Principal) async throws {
        let own = container(of: principal)?.limits ?? .none
        let limits = own.inForce(defaults: defaultLimits(of: principal))
        guard limits != .none else { return }
        guard replaced.mayFit(bytes, in: try await usage(of: principal), limits) else {
            throw StorageError.quotaExceeded(limits)
        }
    }

    /// Stores a staged body at a path; as ``put(_:body:as:)``.
    public func put(
        _ file: NewFile, staged: StagedUpload, as principal: Principal
    ) async throws -> FileChangeResult {
        if !file.isPublished(by: staged.digest) { try refuseReserved(file.path, for: principal) }
        let container = try await openContainer(for: principal)
        let file = try await keepingDescription(file, of: staged, in: container)
        let upload = staged.attempt()
        var lastClaim: ClaimedBlob?
        do {
            // Every round is needed only because somebody else ended the life of the blob that the round before had claimed.
            for _ in 0..<16 {
                let claim = UploadClaim(
                    upload: upload, container: container.id, space: container.space, digest: staged.digest,
                    size: staged.size)
                let claimed = try await metadata.claim(claim)
                lastClaim = claimed
                guard try await secure(staged.blob, as: claimed, for: upload) else { continue }
                let put = FileChange.Put(
                    upload: upload, blob: claimed.id, container: container.id, path: file.path,
                    mediaType: file.mediaType ?? .ofName(file.path.name),
                    sentName: file.sentName,
                    kind: FileKind(name: file.path.name, mediaType: file.mediaType),
                    precondition: file.precondition, link: file.link, keepRevisions: keepRevisions(in: container),
                    limits: defaultLimits(of: principal))
                let result = try await commit(put)
                if result != .blobLost { return result }
                await settleLateWrite(of: claimed)
            }
        } catch {
            await giveUp(upload, claim: lastClaim, after: error)
            throw error
        }
        await giveUp(upload, claim: nil, after: nil)
        throw StorageError(.unavailable, "The upload met too many deletions. Try again.", isTransient: true)
    }

    /// Gives back what an upload holds in the database.
    ///
    /// What stays is given back by the sweeper in any case; this only makes it sooner. A database that was not there, or had too much to
    /// do, is not asked once more, for which the client would wait.
    private func giveUp(_ upload: UploadID, claim: ClaimedBlob?, after error: (any Error)?) async {
        if let claim { await settleLateWrite(of: claim) }
        if (error as? StorageError)?.code != .unavailable { try? await metadata.abandon(upload) }
    }

    /// Makes sure that the claimed key holds the bytes, durably; false when another key must be claimed.
    private func secure(_ staged: StagedBlob, as claimed: ClaimedBlob, for upload: UploadID) async throws -> Bool {
        if claimed.isLive {
            if try await isWhole(claimed.key, size: staged.size) { return true }
        } else {
            do {
                // However small it is: a slow store may take longer over it than the claim would last.
                try await withHeartbeat(of: upload) { try await blobs.publish(staged, as: claimed.key) }
                return true
            } catch is ClaimLost {
                await settleLateWrite(of: claimed)
                return false
            } catch let error as StorageError where error.code == .blobMismatch {
                logger.error("the key of a pending blob holds other bytes", metadata: ["key": "\(claimed.key)"])
            }
        }
        // Also seen when the collector took the blob between the claim and the look; then this changes nothing.
        logger.warning("a claimed blob is missing or wrong", metadata: ["key": "\(claimed.key)"])
        try await metadata.settle(.corrupt(claimed.key))
        return false
    }

    /// Tells the collector of bytes that were written in vain: the blob may have been collected between its claim and the write,
    /// and nobody else would look at its key again.
    private func settleLateWrite(of claimed: ClaimedBlob) async {
        guard !claimed.isLive else { return }
        do {
            try await metadata.settle(.writtenLate(claimed.key))
        } catch {
            logger.warning("a late write was not noted", metadata: ["key": "\(claimed.key)", "error": "\(error)"])
        }
    }

    private func isWhole(_ key: BlobKey, size: Int64) async throws -> Bool {
        do {
            return try await blobs.info(for: key)?.size == size
        } catch let error as StorageError where error.code == .corrupt {
            return false
        }
    }

    /// Runs a body while the database is told again and again that the upload is alive.
    private func withHeartbeat<Value: Sendable>(
        of upload: UploadID, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await keepClaim(of: upload)
                return nil
            }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    /// Renews a claim until the task is cancelled; a database that does not answer for a while is no reason to give up.
    private func keepClaim(of upload: UploadID) async throws {
        while true {
            try await Task.sleep(for: heartbeat)
            do {
                guard try await metadata.renew(upload, lease: UploadClaim.lease) else { throw ClaimLost() }
            } catch let error as StorageError where error.isTransient {
                logger.warning("a claim was not renewed", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func isFile(_ parent: FilePath) -> StorageError {
        StorageError(.pathConflict, "\(parent) is a file; it cannot have entries.")
    }

    static func tooLarge(_ limit: Int64) -> StorageError {
        StorageError(.tooLarge, "The body is larger than the limit of \(limit) bytes.")
    }
}

/// The blob may no longer be written: it is claimed anew.
private struct ClaimLost: Error {}
