extension LocalDiskBlobStore {
    /// Takes a body in: hashes and writes on a thread of the store while the next chunks arrive.
    ///
    /// At most two batches of 1 MiB and a chunk are in memory.
    ///
    /// - Throws: ``StorageError/Code/insufficientStorage`` before the first byte is read when there is no room,
    ///   ``StorageError/Code/unprocessable`` for a body that is not as long as it says, and what the body throws.
    public func stage(_ body: ByteStream) async throws -> StagedBlob {
        try await stage(body) { _ in }
    }

    /// As ``stage(_:)``, for somebody who reads the bytes while they come.
    ///
    /// - Parameter onWritten: Called with the file whenever bytes were written to it, on a thread of the store; not at all for a body
    ///   that is taken in by one trip.
    func stage(
        _ body: ByteStream, onWritten: @escaping @Sendable (StagingFile) -> Void
    ) async throws -> StagedBlob {
        let length = body.length
        if !space.hasPlenty(for: length) {
            try await writing.run { try self.translating { try self.space.check(length, in: self.directory) } }
        }
        var batches = BodyBatches(body)
        let first = try await batches.first()
        if first.isLast { return try await writing.run { try self.take(first, length: length) } }

        let file = try await writing.run { try self.translating { try self.makeFile(length: length) } }
        do {
            return try await take(first, then: &batches, into: file, onWritten)
        } catch {
            await release(file)
            throw error
        }
    }

    /// Gives a staged body back.
    public func discard(_ staged: StagedBlob) async {
        guard let file = staged.handle as? StagingFile else { return }
        await release(file)
    }

    private func makeFile(length: Int64?) throws -> StagingFile {
        try StagingFile(
            in: directory, isNamed: !hasUnnamedFiles, isDurable: !configuration.isSpool, length: length,
            reserve: configuration.reserve)
    }

    /// A small body: everything in one go.
    private func take(_ batch: BodyBatches.Batch, length: Int64?) throws -> StagedBlob {
        try translating {
            let file = try makeFile(length: length)
            do {
                try file.write(batch.chunks)
                return try finish(file)
            } catch {
                file.release()
                throw error
            }
        }
    }

    /// A large body: one batch is written while the next is received.
    private func take(
        _ first: BodyBatches.Batch, then batches: inout BodyBatches, into file: StagingFile,
        _ onWritten: @escaping @Sendable (StagingFile) -> Void
    ) async throws -> StagedBlob {
        var batch = first
        while !batch.isLast {
            let chunks = batch.chunks
            async let written: Void = writing.runRegardless {
                try self.translating { try file.write(chunks) }
                onWritten(file)
            }
            batch = try await batches.next(isStopped: { file.hasFailed })
            try await written
        }
        let chunks = batch.chunks
        return try await writing.runRegardless {
            try self.translating {
                try file.write(chunks)
                onWritten(file)
                return try self.finish(file)
            }
        }
    }

    private func finish(_ file: StagingFile) throws -> StagedBlob {
        let (digest, size) = try file.finish()
        noteSync()
        return StagedBlob(digest: digest, size: size, handle: file)
    }

    private func release(_ file: StagingFile) async {
        do {
            try await writing.runRegardless { file.release() }
        } catch {
            // The threads have ended: the last reference releases the file.
        }
    }
}
