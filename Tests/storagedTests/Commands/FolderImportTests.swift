import Foundation
import NIOCore
import StorageCore
import Synchronization
import Testing

@testable import storaged

@Suite("An import of a local folder")
struct FolderImportTests {
    private let tree: LocalTree
    private let metadata = InMemoryMetadataStore()
    private let blobs = CountingBlobStore()
    private let pool = BlockingPool(threads: 4, queue: 100)

    init() throws {
        tree = try LocalTree()
    }

    private var storage: FileStorage { FileStorage(metadata: metadata, blobs: blobs) }

    private func owner() async throws -> Principal {
        let login = try Login(Array("ann".utf8))
        if let record = try await metadata.account(.login(login)) {
            return Principal(identity: .account(record.account))
        }
        let change = try await metadata.change(
            .register(login: login, email: nil, passwordHash: "-", role: .user, ownSpace: false))
        return Principal(identity: .account(try #require(change.account)))
    }

    @discardableResult
    private func importTree(
        isDryRun: Bool = false, each: (FolderImport.Event) throws -> Void = { _ in }
    ) async throws -> ImportReport {
        let owner = try await owner()
        let forecast = isDryRun ? try await ImportForecast(storage, account: try #require(owner.account)) : nil
        let work = FolderImport(storage: storage, principal: owner, forecast: forecast, pool: pool)
        var report = ImportReport(isDryRun: isDryRun)
        let walk = try FolderWalk(LocalFolder(path: tree.path)) { try FilePath($0) }
        try await work.run(walk, progress: { _ in }) { event in
            report.count(event)
            try each(event)
        }
        return report
    }

    /// The report of an import that ends early, with what ended it, and the names of what failed.
    private func endedImport() async -> (report: ImportReport, failed: [String], error: any Error) {
        var (report, failed) = (ImportReport(), [String]())
        do {
            try await importTree { event in
                report.count(event)
                if case .failed(let name, _) = event { failed.append(LocalName.shown(name)) }
            }
            return (report, failed, CocoaError(.featureUnsupported))
        } catch {
            return (report, failed, error)
        }
    }

    private func limit(bytes: Int64? = nil, files: Int64? = nil) async throws {
        let account = try #require(try await owner().account)
        _ = try await metadata.change(.setLimits(account.id, ContainerLimits(bytes: bytes, files: files)))
    }

    private func paths() async throws -> [String] {
        let page = try await storage.list(as: try await owner()) { ListQuery(container: $0) }
        return page.entries.map(\.path.text)
    }

    private func text(of path: String) async throws -> String {
        let container = try #require(try await owner().account?.container.id)
        let (revision, content) = try await storage.read(.path(container, try FilePath(path))) { record in
            (record.revision, 0..<(record.revision?.size ?? 0))
        }
        let stream = storage.stream(try #require(content), of: try #require(revision))
        return String(buffer: try await stream.collect(upTo: 1 << 24))
    }

    @Test("stores every file with its bytes, and makes the folders that are empty")
    func everything() async throws {
        try tree.write("hello", to: "a.txt")
        try tree.write("", to: "b/empty.txt")
        try tree.write(String(repeating: "0123456789abcdef", count: 100_000), to: "b/large.bin")
        try tree.folder("c/d")
        let report = try await importTree()
        #expect(report == ImportReport(stored: 3, bytes: 1_600_005, folders: 1))
        #expect(try await paths() == ["a.txt", "b/empty.txt", "b/large.bin"])
        #expect(try await text(of: "b/large.bin") == String(repeating: "0123456789abcdef", count: 100_000))
        let container = try #require(try await owner().account?.container.id)
        let folder = try await metadata.file(.path(container, try FilePath("c/d")))
        #expect(folder?.isFolder == true)
    }

    @Test("stores nothing again that is there already, and everything that changed")
    func again() async throws {
        for number in 0..<50 { try tree.write("content \(number)", to: "folder/\(number).txt") }
        #expect(try await importTree().stored == 50)
        let staged = blobs.staged
        #expect(try await importTree() == ImportReport(alreadyThere: 50))
        #expect(blobs.staged == staged)
        try tree.write("other", to: "folder/7.txt")
        try tree.write("new", to: "folder/new.txt")
        let report = try await importTree()
        #expect(report == ImportReport(stored: 1, updated: 1, bytes: 8, alreadyThere: 49))
        #expect(try await text(of: "folder/7.txt") == "other")
        #expect(blobs.staged == staged + 2)
    }

    @Test("does nothing when it is only to say what it would do")
    func dryRun() async throws {
        try tree.write("hello", to: "a/b.txt")
        try tree.folder("c")
        let report = try await importTree(isDryRun: true)
        #expect(report == ImportReport(stored: 1, bytes: 5, folders: 1, isDryRun: true))
        #expect(try await paths() == [])
        #expect(blobs.staged == 0)
    }

    @Test("reports files that cannot go where they should, and stores the others")
    func conflicts() async throws {
        let owner = try await owner()
        _ = try await storage.put(
            NewFile(path: try FilePath("a")), body: ByteStream(ByteBuffer(string: "x")), as: owner)
        _ = try await storage.makeFolder(try FilePath("b/c"), as: owner)
        try tree.write("1", to: "a/below.txt")
        try tree.write("2", to: "b")
        try tree.write("3", to: "c")
        var failed: [String] = []
        let report = try await importTree { event in
            if case .failed(let name, let reason) = event { failed.append("\(LocalName.shown(name)): \(reason)") }
        }
        #expect(report.stored == 1)
        #expect(failed.sorted().map { $0.prefix(2) } == ["a/", "b:"])
        #expect(try await text(of: "a") == "x")
        #expect(try await text(of: "c") == "3")
    }

    @Test("finds out when the stored bytes are not those of the source")
    func damaged() async throws {
        try tree.write(String(repeating: "x", count: 1_000), to: "a")
        blobs.damages = true
        let report = try await importTree()
        #expect(report == ImportReport(failed: 1))
    }

    @Test("reports a file that somebody writes to meanwhile, and finishes it the next time")
    func changing() async throws {
        try tree.write("first", to: "a")
        let path = "\(tree.path)/a"
        blobs.whenStaging = { try? "second".write(toFile: path, atomically: false, encoding: .utf8) }
        var reasons: [String] = []
        let report = try await importTree { event in
            if case .failed(_, let reason) = event { reasons.append(reason) }
        }
        #expect(report == ImportReport(failed: 1))
        #expect(reasons == ["it changed while it was read"])
        blobs.whenStaging = nil
        #expect(try await paths() == [])
        #expect(try await importTree().failed == 0)
        #expect(try await text(of: "a") == "second")
        try tree.write("third", to: "a")
        blobs.whenStaging = { try? "other".write(toFile: path, atomically: false, encoding: .utf8) }
        #expect(try await importTree().failed == 1)
        #expect(try await text(of: "a") == "second")
    }

    @Test("stores a file again whose stored bytes are gone")
    func lost() async throws {
        try tree.write("hello", to: "a")
        try tree.write("world", to: "b")
        #expect(try await importTree().stored == 2)
        let container = try #require(try await owner().account?.container.id)
        let record = try await metadata.file(.path(container, try FilePath("a")))
        try await blobs.remove(try #require(record?.revision?.blob))
        #expect(try await importTree() == ImportReport(updated: 1, bytes: 5, alreadyThere: 1))
        #expect(try await text(of: "a") == "hello")
        #expect(try await importTree() == ImportReport(alreadyThere: 2))
    }

    @Test("names each file that there is no room for, and stores the others", arguments: [false, true])
    func quota(isDryRun: Bool) async throws {
        try tree.write(String(repeating: "x", count: 100), to: "large")
        for name in ["a", "b", "c"] { try tree.write("12345", to: name) }
        try await limit(bytes: 20)
        var failed: [String] = []
        let report = try await importTree(isDryRun: isDryRun) { event in
            if case .failed(let name, let reason) = event { failed.append("\(LocalName.shown(name)): \(reason)") }
        }
        #expect(report == ImportReport(stored: 3, bytes: 15, failed: 1, isDryRun: isDryRun))
        #expect(failed.count == 1)
        #expect(failed.first?.hasPrefix("large: There is no room left in the container") == true)
        #expect(try await paths() == (isDryRun ? [] : ["a", "b", "c"]))
    }

    @Test("stores as many files as the account may hold", arguments: [false, true])
    func fileLimit(isDryRun: Bool) async throws {
        for number in 0..<10 { try tree.write("\(number)", to: "\(number)") }
        try await limit(files: 4)
        let report = try await importTree(isDryRun: isDryRun)
        #expect(report == ImportReport(stored: 4, bytes: 4, failed: 6, isDryRun: isDryRun))
        #expect(try await paths().count == (isDryRun ? 0 : 4))
    }

    @Test("says before what will be refused: files below files, folders where files are, and what is there")
    func forecast() async throws {
        let owner = try await owner()
        for name in ["a", "same"] {
            _ = try await storage.put(
                NewFile(path: try FilePath(name)), body: ByteStream(ByteBuffer(string: "x")), as: owner)
        }
        for name in ["b/c", "there/already", "empty"] {
            _ = try await storage.makeFolder(try FilePath(name), as: owner)
        }
        try tree.write("1", to: "a/far/below.txt")
        try tree.write("2", to: "b")
        try tree.write("3", to: "empty")
        try tree.write("x", to: "same")
        try tree.folder("there/already")
        try tree.folder("there/new")
        var failed: [String] = []
        let report = try await importTree(isDryRun: true) { event in
            if case .failed(let name, _) = event { failed.append(LocalName.shown(name)) }
        }
        #expect(failed.sorted() == ["a/far/below.txt", "b"])
        #expect(report.folders == 1)
        #expect(report.alreadyThere == 1)
        #expect(report.stored + report.updated == 1)
        let real = try await importTree()
        #expect(real.failed == 2)
        #expect(real.folders == 1)
    }

    @Test("tells at an early end what was committed, and names the file that met it")
    func earlyEnd() async throws {
        for number in 0..<40 { try tree.write("content \(number)", to: "\(number)") }
        blobs.failsAfter = 20
        let (report, failed, error) = await endedImport()
        #expect((error as? StorageError)?.code == .insufficientStorage)
        #expect(report.stored == (try await paths().count))
        #expect(report.stored >= 20 - FolderImport.width)
        #expect(failed.count == report.failed)
        #expect(report.failed >= 1)
    }

    @Test("that is cancelled gives back the room of what was under way, and tells what was committed")
    func cancelled() async throws {
        for number in 0..<40 { try tree.write("content \(number)", to: "\(number)") }
        try await limit(bytes: 1_000)
        let ended = await withTaskGroup(of: (ImportReport, [String], any Error).self) { group in
            let (staged, continuation) = AsyncStream<Void>.makeStream()
            blobs.whenStaging = { continuation.yield() }
            group.addTask { await endedImport() }
            for await _ in staged { break }
            group.cancelAll()
            return await group.next()
        }
        #expect(ended?.2 is CancellationError)
        #expect(ended?.0.stored == (try await paths().count))
        #expect(ended?.0.failed == 0)
        blobs.whenStaging = nil
        let account = try #require(try await owner().account)
        let used = try await metadata.usage(of: account.container.id).bytes
        let left = UploadReservation(
            upload: UploadID(), container: account.container.id, needed: 1_000 - used, wanted: 1_000 - used,
            addsFile: true, limits: .none)
        #expect(try await metadata.reserve(left) == 1_000 - used)
    }

    @Test("tries again what failed for a moment, and gives up when the store is full")
    func failures() async throws {
        try tree.write("1", to: "a")
        blobs.failures = [
            .init(.unavailable, "Busy.", isTransient: true), .init(.unavailable, "Busy.", isTransient: true),
        ]
        #expect(try await importTree() == ImportReport(stored: 1, bytes: 1))
        try tree.write("2", to: "b")
        blobs.failures = [StorageError(.insufficientStorage, "The store has no room for it.")]
        let error = await #expect(throws: StorageError.self) { try await importTree() }
        #expect(error?.code == .insufficientStorage)
        #expect(try await importTree() == ImportReport(stored: 1, bytes: 1, alreadyThere: 1))
    }

    @Test("has no more files under way than it should, however many there are")
    func bounded() async throws {
        for number in 0..<100 { try tree.write("content \(number)", to: "\(number % 10)/\(number)") }
        #expect(try await importTree().stored == 100)
        #expect(blobs.mostAtOnce <= FolderImport.width)
        #expect(blobs.mostAtOnce > 1)
    }
}

/// A store in memory that counts, fails and damages as a test says.
private final class CountingBlobStore: BlobStore {
    func ping() async throws {}

    private struct State {
        var staged = 0
        var atOnce = 0
        var mostAtOnce = 0
        var damages = false
        var failsAfter = Int.max
        var failures: [StorageError] = []
        var whenStaging: (@Sendable () -> Void)?
    }

    private let inner = InMemoryBlobStore()
    private let state = Mutex(State())

    var staged: Int { state.withLock { $0.staged } }
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
    var damages: Bool {
        get { state.withLock { $0.damages } }
        set { state.withLock { $0.damages = newValue } }
    }
    /// How many bodies there is room for.
    var failsAfter: Int {
        get { state.withLock { $0.failsAfter } }
        set { state.withLock { $0.failsAfter = newValue } }
    }
    var failures: [StorageError] {
        get { state.withLock { $0.failures } }
        set { state.withLock { $0.failures = newValue } }
    }
    var whenStaging: (@Sendable () -> Void)? {
        get { state.withLock { $0.whenStaging } }
        set { state.withLock { $0.whenStaging = newValue } }
    }

    func stage(_ body: ByteStream) async throws -> StagedBlob {
        let (failure, before) = state.withLock { state in
            state.atOnce += 1
            state.mostAtOnce = max(state.mostAtOnce, state.atOnce)
            if state.failures.isEmpty, state.staged >= state.failsAfter {
                state.failures = [StorageError(.insufficientStorage, "The store has no room for it.")]
            }
            return (state.failures.isEmpty ? nil : state.failures.removeFirst(), state.whenStaging)
        }
        defer { state.withLock { $0.atOnce -= 1 } }
        if let failure { throw failure }
        let staged = try await inner.stage(body)
        before?()
        state.withLock { $0.staged += 1 }
        return staged
    }

    func publish(_ staged: StagedBlob, as key: BlobKey) async throws { try await inner.publish(staged, as: key) }
    func discard(_ staged: StagedBlob) async { await inner.discard(staged) }
    func info(for key: BlobKey) async throws -> BlobInfo? { try await inner.info(for: key) }
    func remove(_ key: BlobKey) async throws { try await inner.remove(key) }
    func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
        try await inner.keys(after: key, limit: limit)
    }
    func strays(limit: Int) async throws -> [Stray] { try await inner.strays(limit: limit) }

    func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
        guard let content = try await inner.open(key, range: range), damages else {
            return try await inner.open(key, range: range)
        }
        let bytes = ByteBuffer(repeating: 0, count: Int(content.range.count))
        return BlobContent(size: content.size, range: content.range, body: .stream(ByteStream(bytes)))
    }
}
