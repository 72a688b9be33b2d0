import Synchronization

/// A metadata store that lives and ends with its process: for unit tests, for trials, and as the model that other
/// stores are compared with.
///
/// Keeps every rule of ``MetadataStore`` but durability. Each method runs under one lock, so that transactions follow
/// one another, and checks everything before it changes anything.
public final class InMemoryMetadataStore: MetadataStore {
    private let tables = Mutex(MemoryTables())
    private let now: @Sendable () -> Timestamp

    /// Makes an empty store.
    ///
    /// - Parameter now: The store's own clock, that leases and ages are compared with. Must not go backwards.
    public init(now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }) {
        self.now = now
    }

    private func transaction<Result: Sendable>(
        _ body: (inout sending MemoryTables) throws -> sending Result
    ) rethrows -> Result {
        let now = now
        return try tables.withLock { tables in
            tables.now = now()
            return try body(&tables)
        }
    }

    /// Grants the right to write a blob's key.
    public func claim(_ claim: UploadClaim) async throws -> ClaimedBlob {
        transaction { $0.claim(claim) }
    }

    /// Sets room aside for an upload.
    public func reserve(_ reservation: UploadReservation) async throws -> Int64 {
        try transaction { try $0.reserve(reservation) }
    }

    /// Prolongs the claim of an upload.
    public func renew(_ upload: UploadID, lease: Int64) async throws -> Bool {
        transaction { $0.renew(upload, lease: lease) }
    }

    /// Gives up an upload that was not committed.
    public func abandon(_ upload: UploadID) async throws {
        transaction { $0.abandon(upload) }
    }

    /// Whether an upload took effect.
    public func outcome(of upload: UploadID) async throws -> UploadOutcome {
        transaction { $0.outcome(of: upload) }
    }

    /// Makes a change to files.
    public func commit(_ change: FileChange) async throws -> FileChangeResult {
        try change.checkSelector()
        return try transaction { tables in
            switch change {
            case .put(let put): try tables.put(put)
            case .makeFolder(let container, let path): try tables.makeFolder(path, in: container)
            case .delete(let selector, let precondition): try tables.delete(selector, precondition)
            case .deleteTree(let container, let path, let limit):
                try tables.deleteTree(path, in: container, limit: limit)
            case .move(let relocation): try tables.move(relocation)
            case .copy(let relocation): try tables.copy(relocation)
            case .restore(let restoration): try tables.restore(restoration)
            }
        }
    }

    /// The file or folder that is meant.
    public func file(_ selector: FileSelector) async throws -> FileRecord? {
        recall(selector)
    }

    /// The same: everything is known without waiting.
    public func recall(_ selector: FileSelector) -> FileRecord? {
        transaction { $0.record(selector) }
    }

    /// One page of a container's entries.
    public func list(_ query: ListQuery) async throws -> Page<FileRecord> {
        transaction { $0.list(query) }
    }

    /// One stretch of the files whose names are as asked for.
    public func search(_ query: SearchQuery) async throws -> Stretch<FileRecord> {
        transaction { $0.search(query) }
    }

    /// One stretch of what the folders at the root hold.
    public func folderUsage(
        of container: ContainerID, after: FilePath?, limit: Int
    ) async throws -> Stretch<FolderUsage> {
        transaction { $0.folderUsage(of: container, after: after, limit: limit) }
    }

    /// The kept revisions of a file.
    public func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord]? {
        transaction { $0.revisions(of: selector, limit: limit) }
    }

    /// What a container holds.
    public func usage(of container: ContainerID) async throws -> Usage {
        transaction { $0.containers[container]?.usage ?? Usage() }
    }

    /// The account that is meant.
    public func account(_ selector: AccountSelector) async throws -> AccountRecord? {
        transaction { $0.account(selector) }
    }

    /// At most `limit` accounts with a serial above the given one.
    public func accounts(after serial: Int64, limit: Int) async throws -> [Account] {
        transaction { $0.accounts(after: serial, limit: limit) }
    }

    /// Whether there was a credential of this digest that has ended.
    public func hasEnded(_ digest: TokenDigest) async throws -> Bool {
        transaction { $0.hasEnded(digest) }
    }

    /// Makes a change to accounts.
    public func change(_ change: AccountChange) async throws -> AccountChangeResult {
        try transaction { try $0.change(change) }
    }

    /// The credentials of an account that have not ended.
    public func credentials(
        of account: AccountID, after: CredentialID?, limit: Int
    ) async throws -> [StoredCredential] {
        transaction { $0.credentials(of: account, after: after, limit: limit) }
    }

    /// Authorises the deletion of blobs that nothing refers to.
    public func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord] {
        transaction { $0.doom(grace: grace, retry: retry, limit: limit) }
    }

    /// Notes what became of blobs.
    public func settle(_ settlement: BlobSettlement) async throws {
        transaction { $0.settle(settlement) }
    }

    /// Does all the housekeeping of this sort at once.
    public func tidy(_ chore: Chore) async throws -> Bool {
        transaction { $0.tidy(chore) }
        return false
    }

    /// Records an act.
    public func audit(_ entry: AuditEntry) async throws {
        transaction { $0.audit.append(entry) }
    }

    /// What was recorded so far, the oldest first: for tests.
    public var audited: [AuditEntry] {
        transaction { $0.audit }
    }

    /// Remembers a setting unless it has a value already.
    public func setting(_ name: String, default value: String?) async throws -> String? {
        transaction { tables in
            if let present = tables.settings[name] { return present }
            tables.settings[name] = value
            return value
        }
    }

    /// The selected blobs in all states.
    public func inspectBlobs(_ selection: BlobSelection) async throws -> [BlobInspection] {
        try transaction { try $0.inspectBlobs(selection) }
    }

    /// One page of all containers.
    public func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection] {
        transaction { $0.inspectContainers(after: after, limit: limit) }
    }

    /// Answers at once.
    public func ping() async throws {}
}
