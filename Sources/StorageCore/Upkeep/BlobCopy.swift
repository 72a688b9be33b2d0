/// Copies every live blob from one store into another, beside any number of running nodes that use both through a
/// ``FallbackBlobStore``, whose uploads go to the target already.
///
/// # Behavior
///
/// - The rows of the metadata say what there is to copy. What the target has already is not copied again, so that a copy that was
///   interrupted goes on where it was.
/// - The bytes of a blob are compared with its digest before they become visible in the target, and are read from there again after.
///   What the target has already is read there once too: an interrupted run may have left it unread.
/// - Bytes in the target that are wrong twice in a row are told. They are removed where they were written just now, and that key
///   is not written again in this run: the removal may take effect a second time, later. Another run writes it again, so whoever
///   calls for one should have let some minutes pass, in which the store forgets what it was asked for.
/// - After a blob was copied its row is read again: the copy of one that is no longer live is removed, because its deletion may have
///   passed the target before the copy came. What an interrupted run left of such copies goes with the end of the next.
/// - Goes over the rows again until there is nothing left to copy: a node that did not know of the target yet may have written to
///   the source meanwhile.
/// - A blob that cannot be copied is told, and keeps no other from being copied. A store that cannot be reached ends the copy.
/// - A blob that was found damaged before, and that files refer to, is told and not copied: it is never served again, and the next
///   upload of the same content heals the files.
public struct BlobCopy: Sendable {
    /// How much there is to copy.
    public struct Total: Hashable, Sendable {
        /// Blobs that are live.
        public var blobs = 0
        /// Their bytes.
        public var bytes: Int64 = 0
    }

    /// How far a copy has come.
    public struct Progress: Hashable, Sendable {
        /// Live blobs that were dealt with, whatever came of it.
        public var blobs = 0
        /// The bytes of these, and what was read so far of those under way.
        public var bytes: Int64 = 0
        /// Blobs that were copied and found right.
        public var copied = 0
        /// Their bytes.
        public var copiedBytes: Int64 = 0
        /// Blobs that the target had already.
        public var present = 0
        /// Copies that were removed, because their blobs had been deleted meanwhile.
        public var removed = 0
        /// Blobs that could not be copied.
        public var failed = 0
        /// Blobs that files refer to, and that were found damaged before; these are not among those of ``blobs``.
        public var corrupt = 0
    }

    /// A blob that could not be copied.
    public struct Failure: Hashable, Sendable {
        /// Why not.
        public enum Kind: String, Hashable, Sendable {
            /// The source does not have it.
            case missing
            /// The source has it with other bytes.
            case damaged
            /// The target has something else in its place.
            case occupied
            /// The target gives back other bytes than it was given.
            case unfaithful
            /// It was found damaged before; counted in ``Progress/corrupt``, and not as failed.
            case corrupt
            /// One of the stores fails when it is asked for this blob.
            case refused
        }

        /// Why not.
        public let kind: Kind
        /// Which blob.
        public let key: BlobKey
        /// What was expected and what was found, for people.
        public let detail: String
    }

    /// As many blobs are copied at once.
    public static let width = 8

    private static let page = 200

    /// The last pass begins no sooner than this after the first, for nodes that write to the source until they learn of the target.
    public var lastPassAfter: Duration = .zero

    private let metadata: any MetadataStore
    private let source: any BlobStore
    private let target: any BlobStore

    /// Prepares a copy.
    ///
    /// - Parameters:
    ///   - metadata: Says which blobs there are.
    ///   - source: Has them.
    ///   - target: Gets them.
    public init(metadata: any MetadataStore, from source: any BlobStore, to target: any BlobStore) {
        self.metadata = metadata
        self.source = source
        self.target = target
    }

    /// Counts what there is to copy, whether or not the target has it already.
    public func measure() async throws -> Total {
        var total = Total()
        try await forEachPage { page in
            for inspection in page where inspection.blob.state == .live {
                total.blobs += 1
                total.bytes += inspection.blob.size
            }
        }
        return total
    }

    /// Copies everything.
    ///
    /// - Parameters:
    ///   - onProgress: Called after every chunk and every blob, on any thread; two calls may be under way at once.
    ///   - onFailure: Called for each blob that could not be copied, likewise; once in a run.
    /// - Returns: How far it came; when nothing failed, the target has everything that may be served.
    /// - Throws: what keeps the copy from going on.
    @discardableResult
    public func run(
        onProgress: @escaping @Sendable (Progress) -> Void = { _ in },
        onFailure: @escaping @Sendable (Failure) -> Void = { _ in }
    ) async throws -> Progress {
        let ledger = BlobCopyLedger(onProgress: onProgress, onFailure: onFailure)
        let start = ContinuousClock.now
        while true {
            let (copied, began) = (ledger.progress.copied, ContinuousClock.now)
            try await forEachPage { page in
                try await copy(page.map(\.blob).filter { $0.state == .live }, ledger)
                if ledger.isFirstPass { try await tellDamaged(page, ledger) }
            }
            ledger.beginAgain()
            guard ledger.progress.copied == copied else { continue }
            if began - start >= lastPassAfter { break }
            try await Task.sleep(until: start + lastPassAfter, clock: .continuous)
        }
        try await removeDead(ledger)
        return ledger.progress
    }

    private func forEachPage(_ body: ([BlobInspection]) async throws -> Void) async throws {
        var last: BlobID?
        while true {
            try Task.checkCancellation()
            let page = try await metadata.inspectBlobs(.page(after: last, limit: Self.page))
            guard let end = page.last else { return }
            last = end.blob.id
            try await body(page)
        }
    }

    private func copy(_ page: [BlobRecord], _ ledger: BlobCopyLedger) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, blob) in page.enumerated() {
                if index >= Self.width { try await group.next() }
                group.addTask { try await copy(blob, ledger) }
            }
            try await group.waitForAll()
        }
    }

    private func copy(_ blob: BlobRecord, _ ledger: BlobCopyLedger) async throws {
        guard !ledger.isTakenBack(blob.key) else { return }
        let reading = BlobCopyLedger.Reading(ledger)
        var outcome: BlobCopyLedger.Outcome
        do {
            outcome = try await attempt(blob, reading, ledger)
        } catch let error as StorageError where !error.isTransient && error.code != .unavailable {
            outcome = .failed(Failure(kind: .refused, key: blob.key, detail: "\(error)"))
        }
        // A blob that was deleted while it was looked for is no failure.
        if case .failed = outcome, try await !isLive(blob.key) { outcome = .deleted }
        ledger.note(outcome, of: blob, reading)
    }

    private func attempt(
        _ blob: BlobRecord, _ reading: BlobCopyLedger.Reading, _ ledger: BlobCopyLedger
    ) async throws -> BlobCopyLedger.Outcome {
        func failed(_ kind: Failure.Kind, _ detail: String) -> BlobCopyLedger.Outcome {
            .failed(Failure(kind: kind, key: blob.key, detail: detail))
        }
        if let present = try await target.info(for: blob.key) {
            guard present.size == blob.size else {
                return failed(.occupied, "\(blob.size) bytes are recorded, \(present.size) are in its place")
            }
            if ledger.isToBeRead(blob.key), try await !isRight(blob, reading) {
                return failed(.occupied, "the target has as many bytes in its place, with another digest")
            }
            return .present
        }
        guard let content = try await source.open(blob.key, range: nil) else {
            return failed(.missing, "\(blob.size) bytes are recorded, none are there")
        }
        let staged = try await target.stage(content.stream.observed { reading.note($0) })
        let isWhole = staged.digest == blob.key.digest && staged.size == blob.size
        do {
            if isWhole { try await target.publish(staged, as: blob.key) }
        } catch {
            await target.discard(staged)
            throw error
        }
        await target.discard(staged)
        guard isWhole else {
            return failed(.damaged, "its \(staged.size) bytes have the digest \(staged.digest.hex)")
        }
        guard try await isRight(blob) else {
            // The source has the right bytes: they were compared when they came. A removal may take effect late, so what is written
            // under this key from now on is not safe.
            ledger.takeBack(blob.key)
            try await target.remove(blob.key)
            return failed(.unfaithful, "the target does not give back what it was given; the copy was removed")
        }
        guard try await isLive(blob.key) else {
            try await target.remove(blob.key)
            return .removed
        }
        return .copied
    }

    /// Whether the target gives the right bytes back, in one of two readings: a single one may go wrong on the way.
    private func isRight(_ blob: BlobRecord, _ reading: BlobCopyLedger.Reading? = nil) async throws -> Bool {
        if try await hasRightBytes(target, blob, reading) { return true }
        return try await hasRightBytes(target, blob)
    }

    private func hasRightBytes(
        _ store: any BlobStore, _ blob: BlobRecord, _ reading: BlobCopyLedger.Reading? = nil
    ) async throws -> Bool {
        await store.dropCopies(of: blob.key)
        guard let content = try await store.open(blob.key, range: nil), content.size == blob.size else { return false }
        let (digest, count) = try await content.digest { reading?.note($0) }
        return digest == blob.key.digest && count == blob.size
    }

    /// Tells of the blobs that files refer to and that were found damaged before, and whether the source has their bytes all the same.
    private func tellDamaged(_ page: [BlobInspection], _ ledger: BlobCopyLedger) async throws {
        for inspection in page where inspection.blob.state == .corrupt && inspection.isReferenced {
            let blob = inspection.blob
            let isWhole: Bool
            do {
                isWhole = try await hasRightBytes(source, blob)
            } catch let error as StorageError where !error.isTransient && error.code != .unavailable {
                isWhole = false
            }
            let found = isWhole ? "; the source has its bytes whole now" : ""
            ledger.noteDamaged(
                Failure(kind: .corrupt, key: blob.key, detail: "it was found damaged before, and is not served\(found)")
            )
        }
    }

    private func isLive(_ key: BlobKey) async throws -> Bool {
        try await metadata.inspectBlobs(.keys([key])).first?.blob.state == .live
    }

    /// Removes from the target what an interrupted run left there of blobs that were collected meanwhile: a dead key, whose removal
    /// is always safe.
    private func removeDead(_ ledger: BlobCopyLedger) async throws {
        var last: BlobKey?
        while true {
            try Task.checkCancellation()
            let page = try await target.keys(after: last, limit: BlobSelection.keyLimit)
            guard let end = page.last else { return }
            last = end
            let dead = try await metadata.inspectBlobs(.keys(page)).map(\.blob).filter { $0.state == .gone }
            guard !dead.isEmpty else { continue }
            try await target.remove(dead.map(\.key))
            ledger.noteRemoved(dead.count)
        }
    }
}
