import Foundation
import NIOCore
import Testing

@testable import StorageCore

@Suite("Listing a store on disk")
struct ListingTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Places empty files under these names, as listings only look at names.
    private func place(_ names: [String]) throws {
        for name in names {
            let file = "\(directory.path)/\(name)"
            let folder = (file as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try #require(FileManager.default.createFile(atPath: file, contents: Data()))
        }
    }

    private func pages(of store: LocalDiskBlobStore, limit: Int) async throws -> [BlobKey] {
        var keys: [BlobKey] = []
        while true {
            let page = try await store.keys(after: keys.last, limit: limit)
            #expect(page.count <= limit)
            if page.isEmpty { return keys }
            keys += page
        }
    }

    private static let keys: [BlobKey] = {
        var random = SampleBytes(seed: 9)
        var keys: [BlobKey] = []
        for index in 0..<150 {
            guard let digest = BlobDigest(bytes: Array(random.next(32).readableBytesView)) else { continue }
            keys.append(BlobKey(space: .shared, digest: digest))
            if index.isMultiple(of: 7) {
                for generation in [1, 2, 10, 9_223_372_036_854_775_807] as [Int64] {
                    keys.append(BlobKey(space: .shared, digest: digest, generation: generation))
                }
            }
            if index.isMultiple(of: 5) {
                let container = ContainerID(high: UInt64(index) << 56 | 0x7000, low: 1 << 63 | UInt64(index))
                if !container.isNil { keys.append(BlobKey(space: Space(id: container), digest: digest, generation: 3)) }
            }
        }
        return keys
    }()

    @Test("every key comes once, in the order of names, in pages of any size", arguments: [1, 2, 7, 100, 1_000])
    func pages(limit: Int) async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        try place(Self.keys.map(\.name))
        let listed = try await pages(of: store, limit: limit)
        #expect(listed == Self.keys.sorted())
    }

    @Test("goes on behind a key that is gone")
    func afterMissing() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        try place(Self.keys.map(\.name))
        let sorted = Self.keys.sorted()
        for index in stride(from: 0, to: sorted.count - 1, by: 41) {
            try await store.remove(sorted[index])
            let next = try await store.keys(after: sorted[index], limit: 1)
            #expect(next == [sorted[index + 1]])
        }
    }

    @Test("leaves out names of another form")
    func unknownNames() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let digest = try SHA256.digest(of: ByteBuffer(string: "a blob"))
        let hex = digest.hex
        let other = digest.prefix == "00" ? "01" : "00"
        let key = BlobKey(space: .shared, digest: digest)
        try place([
            key.name, "store/\(other)/\(hex)", "store/\(digest.prefix)/\(hex).0", "store/\(digest.prefix)/\(hex).01",
            "store/\(digest.prefix)/\(hex).", "store/\(digest.prefix)/\(hex).9223372036854775808",
            "store/\(digest.prefix)/\(hex).-1", "store/\(digest.prefix)/\(hex.uppercased())",
            "store/\(digest.prefix)/\(hex)0", "store/\(digest.prefix)/\(hex.dropLast())", "store/README",
            "store/\(digest.prefix)/notes.txt", "store/xyz/\(hex)", "store/AB/\(hex)",
            "containers/hello/\(digest.prefix)/\(hex)",
            "containers/00000000-0000-0000-0000-000000000000/\(digest.prefix)/\(hex)",
            "containers/0190A000-0000-7000-8000-000000000000/\(digest.prefix)/\(hex)",
            "containers/0190a000-0000-7000-8000-000000000000/\(hex)", "elsewhere/\(hex)",
        ])
        #expect(try await store.keys(after: nil, limit: 100) == [key])
    }

    @Test("asks for nothing when nothing is wanted", arguments: [0, -1])
    func emptyPage(limit: Int) async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        try place(Self.keys.map(\.name))
        #expect(try await store.keys(after: nil, limit: limit).isEmpty)
    }

    @Test("picks the first names from a listing in any order", arguments: [1, 3, 10])
    func selection(limit: Int) {
        let names = (0..<100).map { Array("\($0)".utf8) }
        let expected = names.sorted { $0.lexicographicallyPrecedes($1) }
        for shuffled in [names, names.reversed(), names.shuffled()] {
            var selection = SmallestNames(after: nil, limit: limit)
            var found: [[UInt8]] = []
            repeat {
                for name in shuffled { name.withUnsafeBytes { selection.insert($0) } }
                found += selection.sorted
                selection = selection.next()
            } while !selection.isExhausted
            #expect(found == expected)
        }
    }
}
