import Synchronization

/// Keeps count of a copy whose blobs are under way at the same time.
final class BlobCopyLedger: Sendable {
    /// What came of a blob.
    enum Outcome: Sendable {
        case copied
        case present
        /// It was deleted while it was copied, and the copy was removed.
        case removed
        /// It was deleted before it could be copied.
        case deleted
        case failed(BlobCopy.Failure)
    }

    /// The bytes of one blob as they are read.
    final class Reading: Sendable {
        private let ledger: BlobCopyLedger
        private let count = Atomic<Int64>(0)

        init(_ ledger: BlobCopyLedger) {
            self.ledger = ledger
        }

        var bytes: Int64 { count.load(ordering: .relaxed) }

        func note(_ bytes: Int) {
            count.add(Int64(bytes), ordering: .relaxed)
            ledger.change { $0.progress.bytes += Int64(bytes) }
        }
    }

    private struct State {
        var progress = BlobCopy.Progress()
        var isFirstPass = true
        var failed: Set<BlobKey> = []
        var takenBack: Set<BlobKey> = []
    }

    private let state = Mutex(State())
    private let onProgress: @Sendable (BlobCopy.Progress) -> Void
    private let onFailure: @Sendable (BlobCopy.Failure) -> Void

    init(
        onProgress: @escaping @Sendable (BlobCopy.Progress) -> Void,
        onFailure: @escaping @Sendable (BlobCopy.Failure) -> Void
    ) {
        self.onProgress = onProgress
        self.onFailure = onFailure
    }

    /// How far the copy has come.
    var progress: BlobCopy.Progress { state.withLock { $0.progress } }

    /// Whether not all blobs were looked at yet.
    var isFirstPass: Bool { state.withLock { $0.isFirstPass } }

    /// Whether what the target has under a key was not written by this run, nor read by it: what comes there after the first pass was
    /// copied by it, or uploaded by a node.
    func isToBeRead(_ key: BlobKey) -> Bool {
        state.withLock { $0.isFirstPass || $0.failed.contains(key) }
    }

    /// Notes that a key is removed from the target, and not to be written again.
    func takeBack(_ key: BlobKey) {
        state.withLock { _ = $0.takenBack.insert(key) }
    }

    /// Whether a key was removed from the target.
    func isTakenBack(_ key: BlobKey) -> Bool {
        state.withLock { $0.takenBack.contains(key) }
    }

    /// Notes that all blobs were looked at: from now on only those count that were not dealt with before.
    func beginAgain() {
        state.withLock { $0.isFirstPass = false }
    }

    /// Notes what came of a blob.
    func note(_ outcome: Outcome, of blob: BlobRecord, _ reading: Reading) {
        var failure: BlobCopy.Failure?
        change { state in
            var counts = state.isFirstPass
            switch outcome {
            case .copied:
                counts = counts || !state.failed.contains(blob.key)
                state.progress.copied += 1
                state.progress.copiedBytes += blob.size
                if state.failed.remove(blob.key) != nil { state.progress.failed -= 1 }
            case .present:
                let isLate = state.failed.remove(blob.key) != nil
                if isLate { state.progress.failed -= 1 }
                if state.isFirstPass || isLate { state.progress.present += 1 }
            case .removed:
                state.progress.removed += 1
            case .deleted:
                break
            case .failed(let reason):
                guard state.failed.insert(blob.key).inserted else { break }
                counts = true
                state.progress.failed += 1
                failure = reason
            }
            if counts { state.progress.blobs += 1 }
            state.progress.bytes += (counts ? blob.size : 0) - reading.bytes
        }
        if let failure { onFailure(failure) }
    }

    /// Notes a blob that was found damaged before.
    func noteDamaged(_ reason: BlobCopy.Failure) {
        change { $0.progress.corrupt += 1 }
        onFailure(reason)
    }

    /// Notes copies that were removed without having been made in this run.
    func noteRemoved(_ count: Int) {
        change { $0.progress.removed += count }
    }

    private func change(_ body: (inout State) -> Void) {
        let progress = state.withLock { state in
            body(&state)
            return state.progress
        }
        onProgress(progress)
    }
}
