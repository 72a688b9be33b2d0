import HTTPTypes
import Hummingbird
import NIOCore
import StorageCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageHTTP

/// A store in memory whose trees are packed and unpacked again.
struct ArchiveFixture: Sendable {
    let metadata = InMemoryMetadataStore()
    let blobs = InMemoryBlobStore()
    let storage: FileStorage
    let ann: Principal
    private let directory: TemporaryStore
    private let scratch: ArchiveScratch

    init() async throws {
        directory = try TemporaryStore(isMade: true)
        scratch = ArchiveScratch(directory: directory.path)
        storage = FileStorage(metadata: metadata, blobs: blobs)
        let change = AccountChange.register(
            login: try Login(Array("ann".utf8)), email: nil, passwordHash: "none", role: .user, ownSpace: false)
        ann = Principal(identity: .account(try #require(try await metadata.change(change).account)))
    }

    func selector(_ path: String) throws -> FileSelector {
        .path(try #require(storage.container(of: ann)?.id), try FilePath(path))
    }

    @discardableResult
    func put(_ bytes: ByteBuffer, at path: String) async throws -> BlobKey {
        let result = try await storage.put(NewFile(path: try FilePath(path)), body: ByteStream(bytes), as: ann)
        return try #require(result.record?.revision?.blob)
    }

    @discardableResult
    func put(_ text: String, at path: String) async throws -> BlobKey {
        try await put(ByteBuffer(string: text), at: path)
    }

    /// Stores one small file at each path.
    func fill(_ paths: some Sequence<String>) async throws {
        let staged = try await storage.stage(ByteStream(ByteBuffer(string: "x")), as: ann)
        for path in paths { _ = try await storage.put(NewFile(path: try FilePath(path)), staged: staged, as: ann) }
        await storage.discard(staged)
    }

    func makeFolder(_ path: String) async throws {
        _ = try await storage.makeFolder(try FilePath(path), as: ann)
    }

    func move(_ path: String, to target: String) async throws {
        _ = try await storage.move(try selector(path), to: try FilePath(target), as: ann, overwrite: false)
    }

    /// Packs a file or folder, and reads what came of it.
    ///
    /// - Parameter meanwhile: What happens while the first bytes are on their way.
    func pack(
        _ path: String, _ format: ArchiveFormat, meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> [UnpackedEntry] {
        let root = try await storage.file(try selector(path))
        let source = ArchiveSource(root, body: nil, in: storage, scratch: scratch)
        let received = ReceivedBytes(meanwhile)
        var output = ArchiveOutput(to: received)
        try await format.write(source, to: &output)
        return try format.read(received.bytes)
    }
}

extension ArchiveFormat {
    /// All entries of an archive.
    func read(_ archive: ByteBuffer) throws -> [UnpackedEntry] {
        switch self {
        case .zip: try ZipReader.read(archive)
        case .tar: try TarReader.read(archive)
        case .sevenZip: try SevenZipReader.read(archive)
        }
    }
}

/// Receives a body, and does something with the first of it.
private final class ReceivedBytes: ResponseBodyWriter, Sendable {
    private let state = Mutex(ByteBuffer())
    private let onFirst: @Sendable () async throws -> Void

    init(_ onFirst: @escaping @Sendable () async throws -> Void) {
        self.onFirst = onFirst
    }

    var bytes: ByteBuffer { state.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        let isFirst = state.withLock { bytes in
            defer { bytes.writeImmutableBuffer(buffer) }
            return bytes.readableBytes == 0
        }
        if isFirst { try await onFirst() }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension [UnpackedEntry] {
    var names: [String] { map { String(decoding: $0.name, as: UTF8.self) } }

    /// The text of an entry; nil for a folder and for what is not there.
    func text(_ name: String) -> String? {
        first { $0.name == [UInt8](name.utf8) }?.bytes.map { String(buffer: $0) }
    }
}
