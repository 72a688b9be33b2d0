import Logging
public import NIOCore

/// Reading files.
extension FileStorage {
    /// The file or folder that is meant.
    ///
    /// - Throws: ``StorageError/Code/notFound``, the same for what is not there and what the principal may not see.
    public func file(_ selector: FileSelector) async throws -> FileRecord {
        guard let record = try await metadata.file(selector) else { throw StorageError.noSuchFile }
        return record
    }

    /// Opens a whole file for reading.
    ///
    /// - Returns: The record, and the bytes, which end with ``StorageError/Code/corrupt`` in place of the last chunk when they are not
    ///   what they were.
    /// - Throws: ``StorageError/Code/notFound``; ``StorageError/Code/pathConflict`` for a folder; ``StorageError/Code/corrupt`` when the
    ///   bytes are lost.
    public func open(_ selector: FileSelector) async throws -> (record: FileRecord, body: ByteStream) {
        let (found, content) = try await read(selector) { record in
            guard let revision = record.revision else {
                throw StorageError(.pathConflict, "\(record.path) is a folder; only files have bytes.")
            }
            return ((record: record, revision: revision), 0..<revision.size)
        }
        guard let content else { throw Self.corrupt }
        return (found.record, stream(content, of: found.revision))
    }

    /// Opens the bytes of a revision that was seen before, whether it is still the current one or not.
    ///
    /// - Returns: The bytes, which end as those of ``open(_:)`` do; nil when they are gone. Those of a revision that has ended stay for
    ///   the grace period of the collector.
    /// - Throws: ``StorageError/Code/corrupt`` when the bytes are known to be damaged.
    public func bytes(of revision: Revision) async throws -> ByteStream? {
        guard revision.isIntact else { throw Self.corrupt }
        return try await open(revision, 0..<revision.size).map { stream($0, of: revision) }
    }

    /// Finds a file and opens the part of it that `plan` asks for.
    ///
    /// The plan is made from the record alone, before any byte is touched. When the bytes are gone by then, because the file was
    /// overwritten or deleted meanwhile, it is found and planned anew.
    ///
    /// - Parameters:
    ///   - selector: Which file is meant.
    ///   - plan: Says which part of a file is wanted; nil for none of it.
    /// - Returns: The record that the plan was made from, and the opened part if one was asked for.
    /// - Throws: ``StorageError/Code/notFound``; ``StorageError/Code/corrupt`` when the bytes are lost.
    public func read<Plan: Sendable>(
        _ selector: FileSelector, plan: (FileRecord) throws -> (Plan, ByteRange?)
    ) async throws -> (plan: Plan, content: BlobContent?) {
        var missing: BlobKey?
        for _ in 0..<3 {
            let record = try await file(selector)
            let (plan, range) = try plan(record)
            guard let range, let revision = record.revision else { return (plan, nil) }
            guard revision.isIntact else { throw Self.corrupt }
            if let content = try await open(revision, range) {
                if case .bytes = content.body {
                    remembered.remember(revision.blob, of: selector)
                } else {
                    remembered.forget(selector)
                }
                return (plan, content)
            }
            missing = revision.blob
        }
        logger.critical("the bytes of a live blob are missing", metadata: ["key": "\(missing.map(\.name) ?? "")"])
        throw Self.corrupt
    }

    /// Finds a file and the part of it that `plan` asks for without waiting for anybody; as ``read(_:plan:)`` otherwise.
    ///
    /// - Returns: nil when something about it would have to be asked.
    public func recall<Plan>(
        _ selector: FileSelector, plan: (FileRecord) throws -> (Plan, ByteRange?)
    ) rethrows -> (plan: Plan, bytes: ByteBuffer?)? {
        try metadata.recall(selector).flatMap { try recall($0, plan: plan) }
    }

    /// As ``recall(_:plan:)``, where only the record has to be asked for, and the bytes are likely to be in memory.
    ///
    /// - Returns: nil when more would have to be asked; nil in the future says the same: ``read(_:plan:)`` is to be asked. The future
    ///   fails as that would.
    public func recall<Plan: Sendable>(
        _ selector: FileSelector, on eventLoop: any EventLoop,
        plan: @escaping @Sendable (FileRecord) throws -> (Plan, ByteRange?)
    ) -> EventLoopFuture<(plan: Plan, bytes: ByteBuffer?)?>? {
        guard let blob = remembered.blob(of: selector), blobs.recall(blob) != nil else { return nil }
        return metadata.file(selector, on: eventLoop)?.flatMapThrowing { record in
            let recalled = try record.flatMap { try self.recall($0, plan: plan) }
            if recalled == nil { remembered.forget(selector) }
            return recalled
        }
    }

    private func recall<Plan>(
        _ record: FileRecord, plan: (FileRecord) throws -> (Plan, ByteRange?)
    ) rethrows -> (plan: Plan, bytes: ByteBuffer?)? {
        guard let revision = record.revision, revision.isIntact, revision.size <= .smallBlob,
            let whole = blobs.recall(revision.blob), Int64(whole.readableBytes) == revision.size
        else { return nil }
        let (plan, range) = try plan(record)
        guard let range else { return (plan, nil) }
        guard case .bytes(let bytes) = BlobContent(of: whole, range: range).body else { return nil }
        return (plan, bytes)
    }

    /// Opens another part of a revision that ``read(_:plan:)`` has found.
    ///
    /// - Throws: ``StorageError/Code/corrupt`` when the bytes are lost, or gone by now because nothing has them any more.
    public func part(_ range: ByteRange, of revision: Revision) async throws -> BlobContent {
        guard let content = try await open(revision, range) else { throw Self.corrupt }
        return content
    }

    /// Opens a part of a revision; nil when its bytes are not there.
    private func open(_ revision: Revision, _ range: ByteRange) async throws -> BlobContent? {
        guard let content = try await blobs.open(revision.blob, range: range) else { return nil }
        guard content.size == revision.size else {
            logger.critical("a live blob has the wrong size", metadata: ["key": "\(revision.blob)"])
            throw Self.corrupt
        }
        guard content.range == range else {
            logger.critical(
                "a store gave another part than it was asked for",
                metadata: ["key": "\(revision.blob)", "asked": "\(range)", "given": "\(content.range)"])
            throw StorageError(
                .unavailable, "The store gave another part of the file. Try again later.", isTransient: true)
        }
        let isWhole = range == 0..<revision.size
        guard isWhole, !content.isVerified else { return content }
        switch content.body {
        case .bytes(let bytes):
            guard try SHA256.digest(of: bytes) == revision.blob.digest else { throw await damaged(revision) }
            return content
        case .file(_, let stream):
            guard policy.verification == .always else { return content }
            return BlobContent(size: content.size, range: range, body: .stream(verified(stream, revision)))
        case .stream(let stream):
            return BlobContent(size: content.size, range: range, body: .stream(verified(stream, revision)))
        }
    }

    /// The bytes of an opened part as chunks, compared with their digest when they are a whole revision.
    public func stream(_ content: BlobContent, of revision: Revision) -> ByteStream {
        // All others were compared, or are going to be, since they were opened.
        guard case .file(_, let stream) = content.body, content.range == 0..<revision.size else {
            return content.stream
        }
        return verified(stream, revision)
    }

    /// The same bytes, with an error in place of the last chunk when they are not the revision's.
    private func verified(_ stream: ByteStream, _ revision: Revision) -> ByteStream {
        ByteStream(length: revision.size, isReplayable: stream.isReplayable) {
            var chunks = stream.verified(by: revision.blob.digest).makeAsyncIterator()
            return {
                do {
                    return try await chunks.next()
                } catch let error as StorageError where error.code == .corrupt {
                    throw await damaged(revision)
                }
            }
        }
    }

    /// An alarm for operators; the client sees a body that ends early, never a complete one that is wrong.
    ///
    /// Two further reads, the last one after a pause, decide whether the stored bytes are wrong or only what came of them was: a network
    /// may garble more than one read. Wrong ones are never served again, and the next upload of the same content heals every file that
    /// had them.
    private func damaged(_ revision: Revision) async -> StorageError {
        let key = revision.blob
        logger.critical("stored bytes do not have their digest", metadata: ["key": "\(key)"])
        do {
            if try await !isIntact(revision) { try await metadata.settle(.corrupt(key)) }
        } catch {
            logger.error("damaged bytes were not noted", metadata: ["key": "\(key)", "error": "\(error)"])
        }
        return Self.corrupt
    }

    private func isIntact(_ revision: Revision) async throws -> Bool {
        if try await readsRight(revision) { return true }
        try await Task.sleep(for: Self.pauseBeforeVerdict)
        return try await readsRight(revision)
    }

    private func readsRight(_ revision: Revision) async throws -> Bool {
        // A damaged copy in front of the store says nothing about the store.
        await blobs.dropCopies(of: revision.blob)
        guard let content = try await blobs.open(revision.blob, range: nil) else { return false }
        return try await content.digest().digest == revision.blob.digest
    }

    private static let pauseBeforeVerdict = Duration.seconds(1)

    static let corrupt = StorageError(.corrupt, "The stored bytes of this file are damaged.")
}
