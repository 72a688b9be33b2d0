import StorageCore

/// A store with one account, and short words for what the clauses do with it.
struct MetadataScene: Sendable {
    let store: any MetadataStore
    let owner: Account

    init(_ store: any MetadataStore) async throws {
        self.store = store
        self.owner = try await Self.register(in: store)
    }

    /// Another registered account.
    func account(ownSpace: Bool = false) async throws -> Account {
        try await Self.register(in: store, ownSpace: ownSpace)
    }

    private static func register(in store: any MetadataStore, ownSpace: Bool = false) async throws -> Account {
        let change = AccountChange.register(
            login: try Login(Array("user-\(AccountID.random())".utf8)), email: nil, passwordHash: "$test$", role: .user,
            ownSpace: ownSpace)
        return try await store.change(change).account.required()
    }

    func claim(
        _ content: TestContent, for account: Account? = nil, upload: UploadID = UploadID(), lease: Int64 = 60_000_000
    ) async throws -> ClaimedBlob {
        let container = (account ?? owner).container
        return try await store.claim(
            UploadClaim(
                upload: upload, container: container.id, space: container.space, digest: content.digest,
                size: content.size,
                lease: lease))
    }

    /// The change that points a path at a claimed blob.
    func put(
        _ blob: BlobID, at path: String, in account: Account? = nil, upload: UploadID, type: String = "text/plain",
        name: String? = nil, kind: FileKind = .text, if precondition: Precondition = .none, link: Link? = nil,
        keep: Int = 5, limits: ContainerLimits = .none
    ) throws -> FileChange {
        .put(
            FileChange.Put(
                upload: upload, blob: blob, container: (account ?? owner).container.id, path: try FilePath(path),
                mediaType: try MediaType(type).required(), sentName: name, kind: kind, precondition: precondition,
                link: link, keepRevisions: keep, limits: limits))
    }

    /// Claims a content and commits it at a path.
    @discardableResult
    func write(
        _ content: TestContent, at path: String, in account: Account? = nil, upload: UploadID = UploadID(),
        type: String = "text/plain", name: String? = nil, kind: FileKind = .text, if precondition: Precondition = .none,
        link: Link? = nil, keep: Int = 5, limits: ContainerLimits = .none
    ) async throws -> FileChangeResult {
        let blob = try await claim(content, for: account, upload: upload)
        return try await store.commit(
            put(
                blob.id, at: path, in: account, upload: upload, type: type, name: name, kind: kind, if: precondition,
                link: link, keep: keep, limits: limits))
    }

    /// Writes some content at every path.
    func write(at paths: [String], in account: Account? = nil) async throws {
        for path in paths { try await write(TestContent(), at: path, in: account) }
    }

    @discardableResult
    func makeFolder(_ path: String) async throws -> FileChangeResult {
        try await store.commit(.makeFolder(owner.container.id, FilePath(path)))
    }

    @discardableResult
    func delete(_ path: String, in account: Account? = nil, if precondition: Precondition = .none) async throws
        -> FileChangeResult
    {
        try await store.commit(.delete(selector(path, in: account), precondition))
    }

    func deleteTree(_ path: String, limit: Int) async throws -> FileChangeResult {
        try await store.commit(.deleteTree(owner.container.id, FilePath(path), limit: limit))
    }

    @discardableResult
    func move(
        _ source: String, to target: String, kind: FileKind? = nil, overwrite: Bool = false,
        if precondition: Precondition = .none
    ) async throws -> FileChangeResult {
        try await store.commit(
            .move(relocation(selector(source), to: target, kind: kind, overwrite: overwrite, if: precondition)))
    }

    @discardableResult
    func copy(
        _ source: String, to target: String, kind: FileKind? = nil, overwrite: Bool = false,
        if precondition: Precondition = .none
    ) async throws -> FileChangeResult {
        try await store.commit(
            .copy(relocation(selector(source), to: target, kind: kind, overwrite: overwrite, if: precondition)))
    }

    func relocation(
        _ source: FileSelector, to target: String, kind: FileKind? = nil, overwrite: Bool = false,
        if precondition: Precondition = .none
    ) throws -> FileChange.Relocation {
        FileChange.Relocation(
            source: source, target: try FilePath(target), kind: kind, overwrite: overwrite, precondition: precondition,
            keepRevisions: 5)
    }
}

extension MetadataScene {
    func selector(_ path: String, in account: Account? = nil) throws -> FileSelector {
        .path((account ?? owner).container.id, try FilePath(path))
    }

    func file(_ path: String, in account: Account? = nil) async throws -> FileRecord? {
        try await store.file(selector(path, in: account))
    }

    func usage(of account: Account? = nil) async throws -> Usage {
        try await store.usage(of: (account ?? owner).container.id)
    }

    /// The paths of all pages of a question, as bytes.
    func paths(
        _ scope: ListQuery.Scope = .files(prefix: []), kind: FileKind? = nil, limit: Int = 1_000,
        in account: Account? = nil
    ) async throws -> [[UInt8]] {
        var query = ListQuery(container: (account ?? owner).container.id, scope: scope, kind: kind, limit: limit)
        var paths: [[UInt8]] = []
        while true {
            let page = try await store.list(query)
            paths += page.entries.map(\.path.bytes)
            guard page.hasMore, let last = page.entries.last else { return paths }
            guard query.after.map({ $0 < last.path }) ?? true else {
                throw MissingValue(what: "page behind \(last.path)")
            }
            query.after = last.path
        }
    }

    /// The paths of all folders and files.
    func tree(below folder: FilePath? = nil) async throws -> [String] {
        var tree: [String] = []
        for entry in try await store.list(ListQuery(container: owner.container.id, scope: .folder(folder))).entries {
            tree.append(entry.path.text + (entry.isFolder ? "/" : ""))
            if entry.isFolder { tree += try await self.tree(below: entry.path) }
        }
        return tree
    }

    /// Dooms whatever may be doomed at this very moment.
    @discardableResult
    func doom() async throws -> Set<BlobID> {
        Set(try await store.doom(grace: -second, retry: hour, limit: 1_000).map(\.id))
    }

    /// A blob that was live and is doomed now.
    func doomed(_ content: TestContent) async throws -> BlobID {
        let blob = try await claim(content)
        try await write(content, at: "doomed")
        try await delete("doomed")
        try await doom()
        return blob.id
    }

    /// Waits until the store's clock shows a later moment than this one.
    func tick() async throws {
        let before = try await store.account(.id(owner.id)).required().readAt
        while try await store.account(.id(owner.id)).required().readAt <= before { await Task.yield() }
    }

    var second: Int64 { 1_000_000 }
    var hour: Int64 { 3_600_000_000 }
}

/// Bytes that only exist as their digest and size, which is all that a metadata store sees of them.
struct TestContent: Hashable, Sendable {
    let digest: BlobDigest
    let size: Int64

    init(size: Int64 = 10) {
        digest = .random()
        self.size = size
    }
}

extension Optional {
    /// The value; an error where there is none.
    func required(_ what: String = "\(Wrapped.self)") throws -> Wrapped {
        guard let self else { throw MissingValue(what: what) }
        return self
    }
}

/// Something that a clause needs is not there.
struct MissingValue: Error, CustomStringConvertible {
    let what: String

    var description: String { "There is no \(what)." }
}
