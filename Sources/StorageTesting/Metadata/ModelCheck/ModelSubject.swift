import StorageCore

/// A store under the operations of a check: knows what the numbers of the operations mean in it.
struct ModelSubject {
    let store: any MetadataStore
    var names = ModelNames()
    var accounts: [Int: Account] = [:]
    var uploads: [Int: Attempt] = [:]
    var credentials: [Int: CredentialID] = [:]
    /// The last record that was seen at a path.
    var seen: [SeenAt: FileRecord] = [:]
    /// Handed out to be deleted, and not reported.
    var doomed: Set<BlobID> = []
    /// The key that an account was granted last for a content.
    var keys: [ContentOf: BlobKey] = [:]

    private let clock: AccountID
    private var made = 0

    /// An upload with what it claimed last.
    struct Attempt {
        let id: UploadID
        var blob: BlobID?
    }

    struct SeenAt: Hashable {
        let account: Int
        let path: FilePath
    }

    struct ContentOf: Hashable {
        let account: Int
        let content: Int
    }

    init(_ store: any MetadataStore) async throws {
        self.store = store
        let change = AccountChange.register(
            login: try Login("clock".utf8), email: nil, passwordHash: "$", role: .admin, ownSpace: false)
        let account = try await store.change(change).account.required()
        clock = account.id
        _ = names.describe(account)
    }

    /// What the store answers to an operation, in words in which two stores agree.
    mutating func answer(to operation: ModelOperation) async throws -> String {
        try await tick()
        do {
            return try await perform(operation)
        } catch let error as StorageError {
            return "refused: \(error.code.name)"
        }
    }

    /// Waits until the store's clock shows a later moment: the order of what happened is never left to chance.
    private func tick() async throws {
        let before = try await store.account(.id(clock)).required().readAt
        while try await store.account(.id(clock)).required().readAt <= before { await Task.yield() }
    }

    private mutating func perform(_ operation: ModelOperation) async throws -> String {
        switch operation {
        case .register, .close, .disable, .setPassword, .setLimits, .addCredential, .touchCredential, .revokeCredential,
            .revokeCredentials:
            return names.describe(try await changeAccount(operation))
        case .lookAtAccounts:
            return try await lookAtAccounts()
        case .begin, .claim, .reserve, .renew, .abandon, .commit, .put:
            return try await upload(operation)
        case .restore(let place, let newer, let condition, let keep):
            let restoration = try await restoration(place, newer, condition, keep: keep)
            return names.describe(noting(try await store.commit(.restore(restoration))))
        case .lookAtRevisions, .search, .lookAtFolders:
            return try await look(operation)
        case .makeFolder, .delete, .deleteTree, .move, .copy:
            return names.describe(noting(try await store.commit(try change(operation))))
        case .find(let place):
            return names.describe(noting(try await store.file(try selector(place))))
        case .findPublished(let name):
            return names.describe(try await store.file(.link(link(name))))
        case .list(let account, let scope, let kind, let after, let limit):
            let query = ListQuery(
                container: try container(account), scope: scope, kind: kind, after: after, limit: limit)
            let page = try await store.list(query)
            return page.entries.map { names.describe($0) }.joined(separator: "\n") + (page.hasMore ? "\nmore" : "")
        case .lookAtUsage(let account):
            return names.describe(try await store.usage(of: try container(account)))
        case .doom, .settle, .damage, .tidy, .setting:
            return try await upkeep(operation)
        case .inspect:
            return try await inspect()
        }
    }

    // MARK: - What the numbers mean

    /// An account with this number; an operation on one that was never made is refused by both alike.
    func account(_ number: Int) throws -> Account {
        guard let account = accounts[number] else { throw StorageError(.notFound, "There is no such account.") }
        return account
    }

    func container(_ account: Int) throws -> ContainerID { try self.account(account).container.id }

    /// An identifier that both stores are given.
    mutating func newUpload() -> UploadID {
        made += 1
        return UploadID(high: 0x7000, low: UInt64(made))
    }

    func digest(of content: Int) -> BlobDigest {
        BlobDigest(bytes: Array(repeating: UInt8(content + 1), count: 32)) ?? .zero
    }

    func link(_ name: ModelOperation.PublicName) -> Link {
        switch name {
        case .content(let content): .hash(digest(of: content))
        case .uid(let uid): .uid(Identifier(high: 0x4000, low: UInt64(uid)))
        }
    }

    func selector(_ place: ModelOperation.Place) throws -> FileSelector {
        let container = try container(place.account)
        guard place.byID else { return .path(container, place.path) }
        let seen = seen[SeenAt(account: place.account, path: place.path)]
        return .id(container, seen?.id ?? FileID(high: 0, low: 0))
    }

    func precondition(_ condition: ModelOperation.Condition, _ account: Int, _ path: FilePath) -> Precondition {
        let revision = seen[SeenAt(account: account, path: path)]?.revision?.id ?? RevisionID(high: 0, low: 0)
        return switch condition {
        case .always: .none
        case .exists: Precondition(ifMatch: .any)
        case .isNew: Precondition(ifNoneMatch: .any)
        case .isSeen: Precondition(ifMatch: .revisions([revision]))
        case .isNotSeen: Precondition(ifNoneMatch: .revisions([revision]))
        case .unmodifiedSinceEver: Precondition(ifUnmodifiedSince: Timestamp(microseconds: 0))
        case .unmodifiedInFuture: Precondition(ifUnmodifiedSince: Timestamp(microseconds: .max))
        }
    }

    // MARK: - What was seen

    mutating func noting(_ record: FileRecord?) -> FileRecord? {
        guard let record, let account = accounts.first(where: { $0.value.container.id == record.container })?.key else {
            return record
        }
        seen[SeenAt(account: account, path: record.path)] = record
        return record
    }

    mutating func noting(_ result: FileChangeResult) -> FileChangeResult {
        _ = noting(result.record)
        return result
    }
}
