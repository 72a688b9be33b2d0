import StorageCore
import Synchronization

/// A metadata store over another one whose answers get lost and whose commits meet the changes of others, as a test says.
final class FaultyMetadataStore: MetadataStore {
    /// What happens to a commit instead of what was asked for.
    enum CommitFault: Hashable, Sendable {
        /// The answer is lost, and nothing was changed.
        case lostBeforeEffect
        /// The answer is lost, but the change was made.
        case lostAfterEffect
        /// The answer is lost, nothing was changed, and the upload itself is forgotten.
        case lostWithItsUpload
        /// The store says that the blob may no longer be referred to.
        case blobLost
        /// Somebody finds the blob wrong right before the commit.
        case lifeEnds
        /// The store refuses.
        case refused(StorageError.Code)
    }

    /// What is to happen, call by call; an empty list lets everything through.
    struct Script: Sendable {
        /// Nil lets one commit through.
        var commits: [CommitFault?] = []
        var claims: [StorageError.Code] = []
        /// How often the outcome of an upload cannot be had.
        var lostOutcomes = 0
        /// How many collections fail.
        var failingDooms = 0
        /// A chore that fails.
        var failingChore: Chore?
        /// How many more rounds a chore has.
        var chores: [Chore: Int] = [:]
        /// Runs when the answer to a commit was lost, before the caller learns it.
        var whenLost: (@Sendable () async throws -> Void)?
        /// Added to what is recorded of every container.
        var miscount: Int64 = 0
        /// What is said of files that are not what their revisions say, of every container.
        var miscopied = 0
        /// Runs once, after a page of blobs was read.
        var whenInspected: (@Sendable () async throws -> Void)?
        /// Runs once, after blobs were looked up by their keys.
        var whenLookedUp: (@Sendable () async throws -> Void)?
        /// Runs with every collection that begins.
        var whenDooming: (@Sendable () -> Void)?
    }

    private struct Seen {
        var keys: [BlobID: BlobKey] = [:]
        var claimed: [UploadID] = []
        var abandoned: [UploadID] = []
        var commits: [FileChange] = []
        var chores: [Chore] = []
    }

    private let inner: InMemoryMetadataStore
    private let journal: CallJournal
    private let script = Mutex(Script())
    private let seen = Mutex(Seen())

    init(_ inner: InMemoryMetadataStore, journal: CallJournal) {
        self.inner = inner
        self.journal = journal
    }

    /// The uploads that claimed a blob, each as often as it did.
    var claimed: [UploadID] { seen.withLock { $0.claimed } }
    var abandoned: [UploadID] { seen.withLock { $0.abandoned } }
    var commits: [FileChange] { seen.withLock { $0.commits } }
    var chores: [Chore] { seen.withLock { $0.chores } }

    func plan(_ change: @Sendable (inout Script) -> Void) {
        script.withLock { change(&$0) }
    }

    private static let lost = StorageError(.outcomeUnknown, "The answer to a commit was lost.", isTransient: true)

    func claim(_ claim: UploadClaim) async throws -> ClaimedBlob {
        journal.note(.claim)
        let refusal = script.withLock { $0.claims.isEmpty ? nil : $0.claims.removeFirst() }
        if let refusal { throw StorageError(refusal, "A claim fails.") }
        let claimed = try await inner.claim(claim)
        seen.withLock { seen in
            seen.claimed.append(claim.upload)
            seen.keys[claimed.id] = claimed.key
        }
        return claimed
    }

    func reserve(_ reservation: UploadReservation) async throws -> Int64 {
        try await inner.reserve(reservation)
    }

    func credentials(
        of account: AccountID, after: CredentialID?, limit: Int
    ) async throws -> [StoredCredential] {
        try await inner.credentials(of: account, after: after, limit: limit)
    }

    func inspectBlobs(_ selection: BlobSelection) async throws -> [BlobInspection] {
        let page = try await inner.inspectBlobs(selection)
        let then = script.withLock { script in
            guard case .page = selection else {
                defer { script.whenLookedUp = nil }
                return script.whenLookedUp
            }
            defer { script.whenInspected = nil }
            return script.whenInspected
        }
        try await then?()
        return page
    }

    func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection] {
        let (miscount, miscopied) = script.withLock { ($0.miscount, $0.miscopied) }
        return try await inner.inspectContainers(after: after, limit: limit).map { container in
            var recorded = container.recorded
            recorded.bytes += miscount
            return ContainerInspection(
                id: container.id, recorded: recorded, counted: container.counted,
                recordedReservations: container.recordedReservations,
                countedReservations: container.countedReservations, longestSilence: container.longestSilence,
                miscopiedFiles: miscopied)
        }
    }

    func abandon(_ upload: UploadID) async throws {
        journal.note(.abandon)
        seen.withLock { $0.abandoned.append(upload) }
        try await inner.abandon(upload)
    }

    func outcome(of upload: UploadID) async throws -> UploadOutcome {
        journal.note(.outcome)
        let isLost = script.withLock { script in
            defer { script.lostOutcomes = max(0, script.lostOutcomes - 1) }
            return script.lostOutcomes > 0
        }
        if isLost { throw StorageError(.unavailable, "The database cannot be reached.", isTransient: true) }
        return try await inner.outcome(of: upload)
    }

    func commit(_ change: FileChange) async throws -> FileChangeResult {
        journal.note(.commit)
        seen.withLock { $0.commits.append(change) }
        let (fault, whenLost) = script.withLock { script in
            (script.commits.isEmpty ? nil : script.commits.removeFirst(), script.whenLost)
        }
        switch fault {
        case nil:
            return try await inner.commit(change)
        case .lostBeforeEffect:
            try await whenLost?()
            throw Self.lost
        case .lostAfterEffect:
            _ = try await inner.commit(change)
            try await whenLost?()
            throw Self.lost
        case .lostWithItsUpload:
            if case .put(let put) = change { try await inner.abandon(put.upload) }
            throw Self.lost
        case .blobLost:
            return .blobLost
        case .lifeEnds:
            if case .put(let put) = change, let key = seen.withLock({ $0.keys[put.blob] }) {
                try await inner.settle(.corrupt(key))
            }
            return try await inner.commit(change)
        case .refused(let code):
            throw StorageError(code, "A commit is refused.")
        }
    }

    func settle(_ settlement: BlobSettlement) async throws {
        journal.note(.settle)
        try await inner.settle(settlement)
    }

    func change(_ change: AccountChange) async throws -> AccountChangeResult {
        if case .openContainer = change { journal.note(.openContainer) }
        return try await inner.change(change)
    }

    func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord] {
        let (fails, whenDooming) = script.withLock { script in
            defer { script.failingDooms = max(0, script.failingDooms - 1) }
            return (script.failingDooms > 0, script.whenDooming)
        }
        whenDooming?()
        if fails { throw StorageError(.unavailable, "The database cannot be reached.", isTransient: true) }
        return try await inner.doom(grace: grace, retry: retry, limit: limit)
    }

    func tidy(_ chore: Chore) async throws -> Bool {
        seen.withLock { $0.chores.append(chore) }
        let hasMore = try script.withLock { script in
            if script.failingChore == chore {
                throw StorageError(.unavailable, "The database cannot be reached.", isTransient: true)
            }
            guard let rounds = script.chores[chore], rounds > 0 else { return false }
            script.chores[chore] = rounds - 1
            return true
        }
        return try await inner.tidy(chore) || hasMore
    }
}

extension FaultyMetadataStore {
    func renew(_ upload: UploadID, lease: Int64) async throws -> Bool {
        journal.note(.renew)
        return try await inner.renew(upload, lease: lease)
    }

    func file(_ selector: FileSelector) async throws -> FileRecord? { try await inner.file(selector) }

    func list(_ query: ListQuery) async throws -> Page<FileRecord> { try await inner.list(query) }

    func search(_ query: SearchQuery) async throws -> Stretch<FileRecord> { try await inner.search(query) }

    func folderUsage(
        of container: ContainerID, after: FilePath?, limit: Int
    ) async throws -> Stretch<FolderUsage> {
        try await inner.folderUsage(of: container, after: after, limit: limit)
    }

    func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord]? {
        try await inner.revisions(of: selector, limit: limit)
    }

    func usage(of container: ContainerID) async throws -> Usage { try await inner.usage(of: container) }

    func account(_ selector: AccountSelector) async throws -> AccountRecord? { try await inner.account(selector) }

    func hasEnded(_ digest: TokenDigest) async throws -> Bool { try await inner.hasEnded(digest) }

    func accounts(after serial: Int64, limit: Int) async throws -> [Account] {
        try await inner.accounts(after: serial, limit: limit)
    }

    func audit(_ entry: AuditEntry) async throws { try await inner.audit(entry) }

    func setting(_ name: String, default value: String?) async throws -> String? {
        try await inner.setting(name, default: value)
    }

    func ping() async throws { try await inner.ping() }
}
