/// The lives of blobs and the uploads that want them.
extension MemoryTables {
    mutating func claim(_ claim: UploadClaim) -> ClaimedBlob {
        let content = Content(space: claim.space, digest: claim.digest)
        let until = now.adding(claim.lease)
        let blob: BlobRow
        if var present = usableLife(of: content) {
            if present.state == .pending { present.claimedUntil = max(present.claimedUntil ?? until, until) }
            blob = present
        } else {
            blob = BlobRow(
                id: BlobID(), key: newKey(for: content), size: claim.size, state: .pending, stateAt: now,
                claimedUntil: until)
            lives[content, default: []].append(blob.id)
        }
        blobs[blob.id] = blob
        var upload = uploads[claim.upload] ?? UploadRow(container: claim.container, heartbeatAt: now)
        upload.blob = blob.id
        upload.heartbeatAt = now
        upload.isAbandoned = false
        uploads[claim.upload] = upload
        return ClaimedBlob(id: blob.id, key: blob.key, isLive: blob.state == .live)
    }

    private func usableLife(of content: Content) -> BlobRow? {
        lives[content]?.lazy.compactMap { blobs[$0] }.first(where: \.isUsable)
    }

    /// Generation 0 belongs to the first life alone: a deletion of its key may still be on the wire.
    private func newKey(for content: Content) -> BlobKey {
        let used = Set(lives[content, default: []].compactMap { blobs[$0]?.key.generation })
        var generation: Int64 = 0
        if !used.isEmpty {
            repeat { generation = BlobKey.newGeneration() } while used.contains(generation)
        }
        return BlobKey(space: content.space, digest: content.digest, generation: generation)
    }

    mutating func renew(_ upload: UploadID, lease: Int64) -> Bool {
        guard let row = uploads[upload], !row.isAbandoned, row.committedAt == nil else { return false }
        uploads[upload]?.heartbeatAt = now
        guard let id = row.blob else { return true }
        guard let blob = blobs[id], blob.isUsable else { return false }
        if blob.state == .pending {
            let until = now.adding(lease)
            blobs[id]?.claimedUntil = max(blob.claimedUntil ?? until, until)
        }
        return true
    }

    mutating func abandon(_ upload: UploadID) {
        guard let row = uploads[upload], row.committedAt == nil else { return }
        uploads[upload]?.isAbandoned = true
        release(of: upload)
    }

    func outcome(of upload: UploadID) -> UploadOutcome {
        guard let row = uploads[upload], !row.isAbandoned else { return .unknown }
        return row.made.map { .committed(result(of: $0)) } ?? .open
    }

    mutating func doom(grace: Int64, retry: Int64, limit: Int) -> [BlobRecord] {
        let (releasedBefore, doomedBefore) = (now.subtracting(grace), now.subtracting(retry))
        var doomed: [BlobRecord] = []
        for var blob in blobs.values.sorted(by: { ($0.stateAt, $0.id) < ($1.stateAt, $1.id) })
        where doomed.count < limit {
            switch blob.state {
            case .live:
                guard let releasedAt = blob.releasedAt, releasedAt < releasedBefore else { continue }
            case .pending:
                guard let claimedUntil = blob.claimedUntil, claimedUntil < now else { continue }
            case .doomed:
                guard blob.handedOutAt ?? blob.stateAt < doomedBefore else { continue }
            case .gone, .corrupt:
                continue
            }
            if blob.references.isEmpty {
                if blob.state != .doomed { (blob.stateAt, blob.releasedAt) = (now, nil) }
                blob.state = .doomed
                blob.handedOutAt = now
                doomed.append(blob.record)
            } else {
                blob.releasedAt = nil
            }
            blobs[blob.id] = blob
        }
        return doomed
    }

    mutating func settle(_ settlement: BlobSettlement) {
        switch settlement {
        case .gone(let ids):
            for id in ids where blobs[id]?.state == .doomed { settleDeletion(of: id) }
        case .corrupt(let key):
            let life = usableLife(of: Content(space: key.space, digest: key.digest))
            if let life, life.key == key { setState(.corrupt, of: life.id) }
        case .writtenLate(let key):
            for id in lives[Content(space: key.space, digest: key.digest), default: []] where blobs[id]?.key == key {
                noteLateWrite(of: id)
            }
        }
    }

    private mutating func settleDeletion(of id: BlobID) {
        guard blobs[id]?.releasedAt != nil else { return setState(.gone, of: id) }
        // Its key was written meanwhile.
        blobs[id]?.releasedAt = nil
        blobs[id]?.handedOutAt = Timestamp(microseconds: 0)
    }

    private mutating func noteLateWrite(of id: BlobID) {
        switch blobs[id]?.state {
        case .doomed:
            blobs[id]?.releasedAt = now
        case .gone:
            setState(.doomed, of: id)
            blobs[id]?.handedOutAt = Timestamp(microseconds: 0)
        case .pending, .live, .corrupt, nil:
            break
        }
    }

    private mutating func setState(_ state: BlobRecord.State, of id: BlobID) {
        blobs[id]?.state = state
        blobs[id]?.stateAt = now
        blobs[id]?.claimedUntil = nil
    }

    mutating func tidy(_ chore: Chore) {
        switch chore {
        case .foldUsage, .backfill:
            break
        case .sweepUploads(let silent, let abandoned, let kept):
            let silentSince = now.subtracting(silent)
            for (id, row) in uploads where row.reserved > 0 && row.heartbeatAt < silentSince { abandon(id) }
            let (leftBefore, committedBefore) = (now.subtracting(abandoned), now.subtracting(kept))
            uploads = uploads.filter { _, row in
                if let committedAt = row.committedAt { return committedAt >= committedBefore }
                return !row.isAbandoned && (row.reserved > 0 || row.heartbeatAt >= leftBefore)
            }
        case .sweepCredentials:
            for row in credentials.values where hasEnded(row) && row.kind == .session {
                credentials[row.id] = nil
                credentialIndex[row.digest] = nil
            }
        case .removeClosedAccounts:
            removeClosedAccounts()
        case .sweepTombstones(let age):
            let goneBefore = now.subtracting(age)
            for blob in blobs.values where blob.state == .gone && blob.key.generation != 0 && blob.stateAt < goneBefore
            {
                blobs[blob.id] = nil
                lives[Content(space: blob.key.space, digest: blob.key.digest)]?.removeAll { $0 == blob.id }
            }
        }
    }
}
