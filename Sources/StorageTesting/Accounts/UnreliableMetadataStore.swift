public import StorageCore
import Synchronization

/// A metadata store that cannot be reached for as long as a test wants it so.
public final class UnreliableMetadataStore: MetadataStore {
    private let inner: any MetadataStore
    private let fails = Atomic(false)

    /// Makes a store that passes everything on to another one.
    public init(_ inner: any MetadataStore) {
        self.inner = inner
    }

    /// Whether every call fails with ``/StorageCore/StorageError/Code/unavailable``.
    public var isFailing: Bool {
        get { fails.load(ordering: .sequentiallyConsistent) }
        set { fails.store(newValue, ordering: .sequentiallyConsistent) }
    }

    private func reachable() throws -> any MetadataStore {
        guard !isFailing else {
            throw StorageError(.unavailable, "The database cannot be reached.", isTransient: true)
        }
        return inner
    }

    /// Passes the call on.
    public func claim(_ claim: UploadClaim) async throws -> ClaimedBlob { try await reachable().claim(claim) }

    /// Passes the call on.
    public func reserve(_ reservation: UploadReservation) async throws -> Int64 {
        try await reachable().reserve(reservation)
    }

    /// Passes the call on.
    public func renew(_ upload: UploadID, lease: Int64) async throws -> Bool {
        try await reachable().renew(upload, lease: lease)
    }

    /// Passes the call on.
    public func abandon(_ upload: UploadID) async throws { try await reachable().abandon(upload) }

    /// Passes the call on.
    public func outcome(of upload: UploadID) async throws -> UploadOutcome {
        try await reachable().outcome(of: upload)
    }

    /// Passes the call on.
    public func commit(_ change: FileChange) async throws -> FileChangeResult { try await reachable().commit(change) }

    /// Passes the call on.
    public func file(_ selector: FileSelector) async throws -> FileRecord? { try await reachable().file(selector) }

    /// Passes the call on.
    public func list(_ query: ListQuery) async throws -> Page<FileRecord> { try await reachable().list(query) }

    /// Passes the call on.
    public func search(_ query: SearchQuery) async throws -> Stretch<FileRecord> {
        try await reachable().search(query)
    }

    /// Passes the call on.
    public func folderUsage(
        of container: ContainerID, after: FilePath?, limit: Int
    ) async throws -> Stretch<FolderUsage> {
        try await reachable().folderUsage(of: container, after: after, limit: limit)
    }

    /// Passes the call on.
    public func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord]? {
        try await reachable().revisions(of: selector, limit: limit)
    }

    /// Passes the call on.
    public func usage(of container: ContainerID) async throws -> Usage { try await reachable().usage(of: container) }

    /// Passes the call on.
    public func account(_ selector: AccountSelector) async throws -> AccountRecord? {
        try await reachable().account(selector)
    }

    /// Passes the call on.
    public func hasEnded(_ digest: TokenDigest) async throws -> Bool { try await reachable().hasEnded(digest) }

    /// Passes the call on.
    public func accounts(after serial: Int64, limit: Int) async throws -> [Account] {
        try await reachable().accounts(after: serial, limit: limit)
    }

    /// Passes the call on.
    public func change(_ change: AccountChange) async throws -> AccountChangeResult {
        try await reachable().change(change)
    }

    /// Passes the call on.
    public func credentials(
        of account: AccountID, after: CredentialID?, limit: Int
    ) async throws -> [StoredCredential] {
        try await reachable().credentials(of: account, after: after, limit: limit)
    }

    /// Passes the call on.
    public func inspectBlobs(_ selection: BlobSelection) async throws -> [BlobInspection] {
        try await reachable().inspectBlobs(selection)
    }

    /// Passes the call on.
    public func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection] {
        try await reachable().inspectContainers(after: after, limit: limit)
    }

    /// Passes the call on.
    public func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord] {
        try await reachable().doom(grace: grace, retry: retry, limit: limit)
    }

    /// Passes the call on.
    public func settle(_ settlement: BlobSettlement) async throws { try await reachable().settle(settlement) }

    /// Passes the call on.
    public func tidy(_ chore: Chore) async throws -> Bool { try await reachable().tidy(chore) }

    /// Passes the call on.
    public func audit(_ entry: AuditEntry) async throws { try await reachable().audit(entry) }

    /// Passes the call on.
    public func setting(_ name: String, default value: String?) async throws -> String? {
        try await reachable().setting(name, default: value)
    }

    /// Passes the call on.
    public func ping() async throws { try await reachable().ping() }
}
