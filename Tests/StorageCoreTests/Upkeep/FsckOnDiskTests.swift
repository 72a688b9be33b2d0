import NIOCore
import StorageTesting
import Testing

@testable import StorageCore

@Suite("Fsck of a store on disk that is in use")
struct FsckOnDiskTests {
    private static let contents = (0..<6).map { index in
        ByteBuffer.random(count: index == 0 ? 0 : index * index * 6_000, seed: UInt64(index))
    }

    /// Writes, overwrites and deletes a few contents under names of its own.
    private func use(_ storage: FileStorage, as principal: Principal, names: String) async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<150 {
            let path = "\(names)/\(Int.random(in: 0..<3, using: &random))"
            if Bool.random(using: &random) {
                let content = try #require(Self.contents.randomElement(using: &random))
                _ = try await storage.put(
                    NewFile(path: try FilePath(path)), body: ByteStream(content), as: principal)
            } else if try await storage.entry(at: path, of: principal) != nil {
                try await storage.delete(try storage.selector(path, of: principal))
            }
        }
    }

    @Test("finds nothing beside uploads, deletions and a collector that never rests", .timeLimit(.minutes(2)))
    func beside() async throws {
        let directory = try TemporaryDirectory()
        let blobs = try await LocalDiskBlobStore.open(directory)
        let metadata = InMemoryMetadataStore()
        let storage = FileStorage(metadata: metadata, blobs: blobs, policy: FileStorage.Policy())
        let change = AccountChange.register(
            login: try Login(Array("ann".utf8)), email: nil, passwordHash: "none", role: .user, ownSpace: false)
        let ann = Principal(identity: .account(try #require(try await metadata.change(change).account)))
        let collector = GarbageCollector(metadata: metadata, blobs: blobs, grace: .zero, interval: .seconds(3_600))
        let users = 4
        let ended = Counter()
        let collected = Counter()

        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in 0..<users {
                group.addTask {
                    defer { ended.increment() }
                    try await use(storage, as: ann, names: "\(user)")
                }
            }
            group.addTask {
                while ended.value < users {
                    if try await collector.collect().blobs > 0 { collected.increment() }
                    await Task.yield()
                }
            }
            group.addTask {
                while ended.value < users {
                    let report = try await Fsck(metadata: metadata, blobs: blobs, readsData: true).run { finding in
                        Issue.record("\(finding)")
                    }
                    #expect(report.isClean)
                }
            }
            try await group.waitForAll()
        }
        #expect(collected.value > 0, "Nothing was collected meanwhile: the test shows nothing.")
        #expect(try await Fsck(metadata: metadata, blobs: blobs, readsData: true).run { _ in }.isClean)
        await blobs.shutdown()
    }
}
