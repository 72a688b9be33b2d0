/// What is wrong with single blobs.
extension Fsck {
    /// As many questions to the store are under way at once.
    private static let width = 8
    /// As many blobs are read at once: one chunk of each is in memory.
    private static let readingWidth = 4

    /// What lies under a key.
    private enum Look {
        case absent
        case blob(size: Int64)
        /// A folder, a FIFO, a symlink: whatever it is, it has no bytes to be served.
        case somethingElse
    }

    /// What was made of a row.
    private struct Verdict {
        var finding: Finding?
        var readBytes: Int64 = 0
    }

    /// The findings in a page of blobs, in its order, and how many bytes were read for them.
    func examine(
        _ page: [BlobInspection], onRead: @escaping @Sendable (_ bytes: Int) -> Void
    ) async throws -> (findings: [Finding], readBytes: Int64) {
        try await withThrowingTaskGroup(of: (Int, Verdict).self) { group in
            var found: [Int: Finding] = [:]
            var readBytes: Int64 = 0
            var next = 0
            func start() {
                guard next < page.count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await verdict(on: page[index], onRead: onRead)) }
            }
            for _ in 0..<(readsData ? Self.readingWidth : Self.width) { start() }
            while let (index, verdict) = try await group.next() {
                found[index] = verdict.finding
                readBytes += verdict.readBytes
                start()
            }
            return (found.sorted { $0.key < $1.key }.map(\.value), readBytes)
        }
    }

    /// What is wrong with a blob. When something seems to be, its row is read again and the blob is looked at, and read, a second
    /// time: it may have been collected meanwhile, and the first read may have gone wrong where the bytes are right.
    private func verdict(
        on inspection: BlobInspection, onRead: @escaping @Sendable (_ bytes: Int) -> Void
    ) async throws -> Verdict {
        var first = try await judge(inspection, onRead: onRead)
        guard first.finding != nil else { return first }
        let again = try await metadata.inspectBlobs(.keys([inspection.blob.key])).first
        first.finding = nil
        if let again { first.finding = try await judge(again, onRead: onRead).finding }
        return first
    }

    private func judge(
        _ inspection: BlobInspection, onRead: @escaping @Sendable (_ bytes: Int) -> Void
    ) async throws -> Verdict {
        do {
            let blob = inspection.blob
            guard blob.state == .live else { return Verdict(finding: try await findingOfDead(inspection)) }
            if let finding = try await findingOfSize(blob) { return Verdict(finding: finding) }
            var verdict = Verdict()
            if readsData { verdict = try await verdictOnBytes(of: blob, onRead: onRead) }
            if verdict.finding == nil, !inspection.isReferenced, !inspection.isReleased {
                verdict.finding = Finding(.leaked, of: blob.key.name, "nothing refers to it, and it is not released")
            }
            return verdict
        } catch let error as StorageError where !error.isTransient && error.code != .unavailable {
            // This one blob: a store that does not answer at all ends the comparison.
            return Verdict(finding: Finding(.unreadable, of: inspection.blob.key.name, "the store fails: \(error)"))
        }
    }

    private func findingOfSize(_ blob: BlobRecord) async throws -> Finding? {
        switch try await look(at: blob.key) {
        case .absent:
            Finding(.missing, of: blob.key.name, "\(blob.size) bytes are recorded, none are there")
        case .somethingElse:
            Finding(.missing, of: blob.key.name, "\(blob.size) bytes are recorded, but what is there is no file")
        case .blob(let size) where size != blob.size:
            Finding(.wrongSize, of: blob.key.name, "\(blob.size) bytes are recorded, \(size) are there")
        case .blob:
            nil
        }
    }

    private func verdictOnBytes(
        of blob: BlobRecord, onRead: @escaping @Sendable (_ bytes: Int) -> Void
    ) async throws -> Verdict {
        guard let content = try await blobs.open(blob.key, range: nil) else {
            return Verdict(finding: Finding(.missing, of: blob.key.name, "it went away between two looks"))
        }
        let (digest, count) = try await content.digest(onRead: onRead)
        var verdict = Verdict(readBytes: count)
        if digest != blob.key.digest {
            verdict.finding = Finding(
                .wrongDigest, of: blob.key.name, "its \(count) bytes have the digest \(digest.hex)")
        }
        return verdict
    }

    /// What is wrong with a blob that may not be served.
    private func findingOfDead(_ inspection: BlobInspection) async throws -> Finding? {
        let blob = inspection.blob
        if inspection.isReferenced {
            return Finding(.damaged, of: blob.key.name, "files refer to it, but it is \(blob.state.rawValue)")
        }
        switch blob.state {
        case .pending:
            guard let age = inspection.claimAge, age > Limit.pending else { return nil }
            return Finding(
                .stuck, of: blob.key.name, "its claim ended \(Self.hours(age)) ago, and it was not collected")
        case .doomed:
            guard inspection.stateAge > Limit.doomed else { return nil }
            return Finding(
                .stuck, of: blob.key.name, "its deletion has been due for \(Self.hours(inspection.stateAge))")
        case .gone:
            guard inspection.stateAge > Limit.gone else { return nil }
            switch try await look(at: blob.key) {
            case .absent: return nil
            case .blob(let size):
                return Finding(.leftOver, of: blob.key.name, "it was collected, but \(size) bytes are there")
            case .somethingElse:
                return Finding(.leftOver, of: blob.key.name, "it was collected, but something is there")
            }
        case .live, .corrupt:
            return nil
        }
    }

    /// The findings of keys that the store has and no row knows, in their order.
    ///
    /// A row comes before its bytes: what was in the store before the rows were asked for has one. Asked a second time, because the
    /// bytes may have been collected since the listing, and their tombstone swept.
    func unknown(among keys: [BlobKey]) async throws -> [Finding] {
        let known = Set(try await metadata.inspectBlobs(.keys(keys)).map(\.blob.key))
        var findings: [Finding] = []
        for key in keys where !known.contains(key) {
            let found: String
            do {
                switch try await look(at: key) {
                case .absent: continue
                case .blob(let size): found = "\(size) bytes are there"
                case .somethingElse: found = "something is there"
                }
            } catch let error as StorageError where !error.isTransient && error.code != .unavailable {
                found = "something is there (\(error))"
            }
            guard try await metadata.inspectBlobs(.keys([key])).isEmpty else { continue }
            findings.append(Finding(.unknown, of: key.name, "\(found), and no row knows them"))
        }
        return findings
    }

    private func look(at key: BlobKey) async throws -> Look {
        do {
            return try await blobs.info(for: key).map { .blob(size: $0.size) } ?? .absent
        } catch let error as StorageError where error.code == .corrupt || error.code == .wrongStore {
            return .somethingElse
        }
    }
}
