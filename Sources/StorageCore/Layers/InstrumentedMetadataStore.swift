public import Metrics
public import NIOCore

/// Measures the calls of any other metadata store; everything is as the store does it.
///
/// Counts `storage_database_operation_seconds` and `storage_database_operation_failures_total` by database and operation, through
/// swift-metrics. What a store remembers is handed over unmeasured.
public struct InstrumentedMetadataStore: MetadataStore {
    private let base: any MetadataStore
    private let meters: Meters

    private final class Meters: Sendable {
        let claim, reserve, renew, abandon, outcome, commit, file, list, search, folderUsage, revisions, usage, account,
            hasEnded, accounts, change, credentials, doom, settle, tidy, audit, setting, inspect, ping: OperationMeter

        init(_ database: String, _ factory: any MetricsFactory) {
            func meter(_ operation: String) -> OperationMeter {
                let labels = [("database", database), ("operation", operation)]
                return OperationMeter("storage_database_operation", labels, factory)
            }
            (claim, reserve, renew, abandon) = (meter("claim"), meter("reserve"), meter("renew"), meter("abandon"))
            (outcome, commit, file, list) = (meter("outcome"), meter("commit"), meter("file"), meter("list"))
            (search, folderUsage, usage) = (meter("search"), meter("folder_usage"), meter("usage"))
            (revisions, account, accounts) = (meter("revisions"), meter("account"), meter("accounts"))
            (hasEnded, change, credentials) = (meter("has_ended"), meter("change"), meter("credentials"))
            (doom, settle, tidy, audit) = (meter("doom"), meter("settle"), meter("tidy"), meter("audit"))
            (setting, inspect, ping) = (meter("setting"), meter("inspect"), meter("ping"))
        }
    }

    /// Measures a store.
    ///
    /// - Parameters:
    ///   - base: The store.
    ///   - database: What it is called in the labels: one of few words.
    ///   - factory: Where it is counted.
    public init(_ base: any MetadataStore, database: String, factory: any MetricsFactory = MetricsSystem.factory) {
        self.base = base
        meters = Meters(database, factory)
    }

    /// As the store does.
    public func claim(_ claim: UploadClaim) async throws -> ClaimedBlob {
        try await meters.claim.measure { try await base.claim(claim) }
    }

    /// As the store does.
    public func reserve(_ reservation: UploadReservation) async throws -> Int64 {
        try await meters.reserve.measure { try await base.reserve(reservation) }
    }

    /// As the store does.
    public func renew(_ upload: UploadID, lease: Int64) async throws -> Bool {
        try await meters.renew.measure { try await base.renew(upload, lease: lease) }
    }

    /// As the store does.
    public func abandon(_ upload: UploadID) async throws {
        try await meters.abandon.measure { try await base.abandon(upload) }
    }

    /// As the store does.
    public func outcome(of upload: UploadID) async throws -> UploadOutcome {
        try await meters.outcome.measure { try await base.outcome(of: upload) }
    }

    /// As the store does.
    public func commit(_ change: FileChange) async throws -> FileChangeResult {
        try await meters.commit.measure { try await base.commit(change) }
    }

    /// As the store does.
    public func file(_ selector: FileSelector) async throws -> FileRecord? {
        try await meters.file.measure { try await base.file(selector) }
    }

    /// As the store does.
    public func recall(_ selector: FileSelector) -> FileRecord? { base.recall(selector) }

    /// As the store does.
    public func file(_ selector: FileSelector, on eventLoop: any EventLoop) -> EventLoopFuture<FileRecord?>? {
        base.file(selector, on: eventLoop).map(meters.file.measure)
    }

    /// As the store does.
    public func list(_ query: ListQuery) async throws -> Page<FileRecord> {
        try await meters.list.measure { try await base.list(query) }
    }

    /// As the store does.
    public func search(_ query: SearchQuery) async throws -> Stretch<FileRecord> {
        try await meters.search.measure { try await base.search(query) }
    }

    /// As the store does.
    public func folderUsage(of container: ContainerID, after: FilePath?, limit: Int) async throws -> Stretch<
        FolderUsage
    > {
        try await meters.folderUsage.measure { try await base.folderUsage(of: container, after: after, limit: limit) }
    }

    /// As the store does.
    public func revisions(of selector: FileSelector, limit: Int) async throws -> [FileRecord]? {
        try await meters.revisions.measure { try await base.revisions(of: selector, limit: limit) }
    }

    /// As the store does.
    public func usage(of container: ContainerID) async throws -> Usage {
        try await meters.usage.measure { try await base.usage(of: container) }
    }

    /// As the store does.
    public func account(_ selector: AccountSelector) async throws -> AccountRecord? {
        try await meters.account.measure { try await base.account(selector) }
    }

    /// As the store does.
    public func hasEnded(_ digest: TokenDigest) async throws -> Bool {
        try await meters.hasEnded.measure { try await base.hasEnded(digest) }
    }

    /// As the store does.
    public func accounts(after serial: Int64, limit: Int) async throws -> [Account] {
        try await meters.accounts.measure { try await base.accounts(after: serial, limit: limit) }
    }

    /// As the store does.
    public func change(_ change: AccountChange) async throws -> AccountChangeResult {
        try await meters.change.measure { try await base.change(change) }
    }

    /// As the store does.
    public func credentials(of account: AccountID, after: CredentialID?, limit: Int) async throws -> [StoredCredential]
    {
        try await meters.credentials.measure { try await base.credentials(of: account, after: after, limit: limit) }
    }

    /// As the store does.
    public func doom(grace: Int64, retry: Int64, limit: Int) async throws -> [BlobRecord] {
        try await meters.doom.measure { try await base.doom(grace: grace, retry: retry, limit: limit) }
    }

    /// As the store does.
    public func settle(_ settlement: BlobSettlement) async throws {
        try await meters.settle.measure { try await base.settle(settlement) }
    }

    /// As the store does.
    public func tidy(_ chore: Chore) async throws -> Bool {
        try await meters.tidy.measure { try await base.tidy(chore) }
    }

    /// As the store does.
    public func audit(_ entry: AuditEntry) async throws {
        try await meters.audit.measure { try await base.audit(entry) }
    }

    /// As the store does.
    public func setting(_ name: String, default value: String?) async throws -> String? {
        try await meters.setting.measure { try await base.setting(name, default: value) }
    }

    /// As the store does.
    public func inspectBlobs(_ selection: BlobSelection) async throws -> [BlobInspection] {
        try await meters.inspect.measure { try await base.inspectBlobs(selection) }
    }

    /// As the store does.
    public func inspectContainers(after: ContainerID?, limit: Int) async throws -> [ContainerInspection] {
        try await meters.inspect.measure { try await base.inspectContainers(after: after, limit: limit) }
    }

    /// As the store does.
    public func ping() async throws {
        try await meters.ping.measure { try await base.ping() }
    }
}
