import NIOCore
import StorageCore
import StorageTesting
import Synchronization

/// A store in memory whose two halves can be made to fail, with a clock that the test moves.
struct StorageFixture: Sendable {
    let clock = ManualClock()
    let journal = CallJournal()
    let metadata: FaultyMetadataStore
    let bytes = InMemoryBlobStore()
    let blobs: FaultyBlobStore
    let storage: FileStorage

    init(_ adjust: (inout FileStorage.Policy) -> Void = { _ in }) {
        let clock = clock
        metadata = FaultyMetadataStore(InMemoryMetadataStore { clock.read() }, journal: journal)
        blobs = FaultyBlobStore(bytes, journal: journal)
        var policy = FileStorage.Policy()
        adjust(&policy)
        storage = FileStorage(metadata: metadata, blobs: blobs, policy: policy)
    }

    /// A registered user whose password nobody knows.
    func user(_ login: String = "ann") async throws -> Principal {
        let change = AccountChange.register(
            login: try Login(Array(login.utf8)), email: nil, passwordHash: "none", role: .user,
            ownSpace: storage.policy.isolation == .all)
        guard let account = try await metadata.change(change).account else { throw StorageError.unauthenticated }
        return Principal(identity: .account(account))
    }

    /// What a container token is now: still new, or the account that a write made of it.
    func principal(of token: TokenDigest) async throws -> Principal {
        guard let record = try await metadata.account(.credential(token)) else {
            return Principal(identity: .newContainer(token))
        }
        return Principal(identity: .account(record.account), credential: record.credential?.id)
    }

    /// The keys of all blobs that the store has.
    func keys() async throws -> [BlobKey] {
        try await bytes.keys(after: nil, limit: .max)
    }
}

/// A clock that moves only when it is told to, but for a microsecond with every look at it.
final class ManualClock: Sendable {
    private let microseconds = Mutex<Int64>(1_700_000_000_000_000)

    func read() -> Timestamp {
        microseconds.withLock { microseconds in
            microseconds += 1
            return Timestamp(microseconds: microseconds)
        }
    }

    func advance(by duration: Duration) {
        microseconds.withLock { $0 += duration.wholeMicroseconds }
    }
}

/// A body that knows whether anybody asked for its bytes.
final class WatchedBody: Sendable {
    private let asked = Mutex(0)
    private let bytes: ByteBuffer

    init(_ text: String = "never to be read") {
        bytes = ByteBuffer(string: text)
    }

    /// How many chunks were asked for.
    var timesAsked: Int { asked.withLock { $0 } }

    func stream(length: Int64? = nil) -> ByteStream {
        ByteStream(length: length, isReplayable: false) {
            var rest: ByteBuffer? = self.bytes
            return {
                self.asked.withLock { $0 += 1 }
                defer { rest = nil }
                return rest
            }
        }
    }
}

extension FileStorage {
    /// Stores a text; always as plain text, so that the name makes no difference.
    @discardableResult
    func put(_ text: String, at path: String, as principal: Principal) async throws -> FileChangeResult {
        let file = NewFile(path: try FilePath(path), mediaType: MediaType("text/plain"))
        return try await put(file, body: ByteStream(ByteBuffer(string: text)), as: principal)
    }

    /// The selector of a path of the principal.
    func selector(_ path: String, of principal: Principal) throws -> FileSelector {
        guard let container = container(of: principal) else { throw StorageError.noSuchFile }
        return .path(container.id, try FilePath(path))
    }

    /// The entry at a path; nil when there is none.
    func entry(at path: String, of principal: Principal) async throws -> FileRecord? {
        guard container(of: principal) != nil else { return nil }
        return try await metadata.file(try selector(path, of: principal))
    }

    /// Reads the whole file at a path.
    func text(at path: String, of principal: Principal) async throws -> String {
        let (record, content) = try await read(try selector(path, of: principal)) { ($0, 0..<($0.revision?.size ?? 0)) }
        guard let content, let revision = record.revision else { throw StorageError.noSuchFile }
        return String(buffer: try await stream(content, of: revision).collect(upTo: 1 << 24))
    }

    /// Every entry, in byte order of a walk through the tree; folders end in a slash.
    func tree(of principal: Principal, below folder: FilePath? = nil) async throws -> [String] {
        var paths: [String] = []
        var after: FilePath?
        while true {
            let page = try await list(as: principal) { [after] container in
                ListQuery(container: container, scope: .folder(folder), after: after, limit: 1_000)
            }
            for entry in page.entries {
                paths.append(entry.path.text + (entry.isFolder ? "/" : ""))
                if entry.isFolder { paths += try await tree(of: principal, below: entry.path) }
            }
            guard page.hasMore, let last = page.entries.last else { return paths }
            after = last.path
        }
    }
}

/// The code of the refusal that the body ends in; nil when it ends well.
func refusalCode<Success>(of body: () async throws -> Success) async -> StorageError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? StorageError)?.code ?? .internal
    }
}
