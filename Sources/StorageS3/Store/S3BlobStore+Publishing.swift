public import StorageCore

extension S3BlobStore {
    /// Takes a body in: into memory up to 64 KiB, into the spool beyond.
    public func stage(_ body: ByteStream) async throws -> StagedBlob {
        try await spool.stage(body)
    }

    /// Gives a staged body back.
    public func discard(_ staged: StagedBlob) async {
        await spool.discard(staged)
    }

    /// Sends staged bytes under their key, in parts where they are many, and looks at what was written.
    ///
    /// Where the service understands `If-None-Match: *`: one request for bytes in memory whose entity tag is their MD5, two for others. Where
    /// it does not, one more; and some more for parts.
    public func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
        guard staged.size <= configuration.multipartThreshold else {
            return try await publishInParts(staged, as: key.name)
        }
        let body = try spool.body(of: staged)
        try await caller.call("put", lasting: S3Client.duration(ofSending: staged.size)) { attempt in
            // An attempt before may have had its effect although its answer was lost.
            if !facts.hasConditionalPut || attempt > 1 {
                guard try await !isThere(key.name, size: staged.size) else { return }
            }
            switch try await bucket.put(key.name, body, onlyIfAbsent: facts.hasConditionalPut) {
            case .stored(let entityTag):
                // Who has read the bytes well enough to digest them has them; every other tag says nothing.
                guard entityTag != body.entityTag else { return }
                try await confirm(key.name, size: staged.size, entityTag: entityTag)
            case .present:
                guard try await isThere(key.name, size: staged.size) else {
                    throw S3Failure.unbelievable("an object that was in the way is not there")
                }
            }
        }
    }

    /// Whether an object is there already; one of another size is never overwritten.
    func isThere(_ name: String, size: Int64) async throws -> Bool {
        guard let present = try await bucket.head(name) else { return false }
        guard present.size == size else {
            throw StorageError(.blobMismatch, "The store holds other bytes under this key.")
        }
        return true
    }

    /// Looks at what was just written.
    ///
    /// - Parameter entityTag: What it was given. Radosgw leaves it out where two uploads of one object are completed at once.
    func confirm(_ name: String, size: Int64, entityTag: String?) async throws {
        guard let present = try await bucket.head(name) else {
            throw S3Failure.unbelievable("an object that was written is not there")
        }
        guard present.size == size else {
            throw StorageError(.blobMismatch, "The store holds other bytes under this key.")
        }
        guard entityTag.map({ $0 == present.entityTag }) ?? true else {
            throw S3Failure.unbelievable("an object has another entity tag than it was given")
        }
    }

    private func publishInParts(_ staged: StagedBlob, as name: String) async throws {
        let isDone = try await caller.call("head") { _ in try await isThere(name, size: staged.size) }
        guard !isDone else { return }
        for isLast in [false, false, true] {
            do {
                return try await MultipartUpload(staged, as: name, in: self).run()
            } catch let lost as MultipartUpload.Lost where !isLast {
                // What was sent is of no use any more: all of it is sent again.
                _ = lost
            } catch let lost as MultipartUpload.Lost {
                throw lost.error
            }
        }
    }
}
