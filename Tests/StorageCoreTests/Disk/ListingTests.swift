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

    private static let blob = BlobKey(
        space: .shared, digest: BlobDigest(bytes: (0..<32).map { $0 | 0xA0 }) ?? .zero)

    /// Names that no blob has, each with what is no blob of it: the name itself, or a folder above.
    private static let foreignNames: [(name: String, stray: String)] = {
        let (hex, prefix) = (blob.digest.hex, blob.digest.prefix)
        let wrong = [
            "00/\(hex)", "\(prefix)/\(hex).0", "\(prefix)/\(hex).01", "\(prefix)/\(hex).",
            "\(prefix)/\(hex).9223372036854775808", "\(prefix)/\(hex).-1", "\(prefix)/\(hex.uppercased())",
            "\(prefix)/\(hex)0", "\(prefix)/\(hex.dropLast())", "README", "\(prefix)/notes.txt",
        ].map { ("store/\($0)", "store/\($0)") }
        let containers = [
            "hello", "00000000-0000-0000-0000-000000000000", "0190A000-0000-7000-8000-000000000000",
        ].map { ("containers/\($0)/\(prefix)/\(hex)", "containers/\($0)") }
        let own = "containers/0190a000-0000-7000-8000-000000000000/\(hex)"
        return wrong + containers + [
            ("store/xyz/\(hex)", "store/xyz"), ("store/AB/\(hex)", "store/AB"), (own, own),
            ("staging/notes.txt", "staging/notes.txt"),
        ]
    }()

    @Test("leaves out names of another form, and tells them when it is asked for strays")
    func unknownNames() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        try place([Self.blob.name, "elsewhere/\(Self.blob.digest.hex)"])
        #expect(try await store.strays(limit: 100).isEmpty)
        try place(Self.foreignNames.map(\.name))
        #expect(try await store.keys(after: nil, limit: 100) == [Self.blob])
        let strays = try await store.strays(limit: 100)
        #expect(strays.map(\.text).sorted() == Self.foreignNames.map(\.stray).sorted())
        #expect(Set(strays.map(\.origin)) == [.foreign])
        for limit in [-1, 0, 1, strays.count - 1, strays.count] {
            #expect(try await store.strays(limit: limit).count == max(limit, 0))
        }
    }

    @Test("goes past a folder of the store that is none, and tells it", arguments: [true, false])
    func replacedFolders(openat2: Bool) async throws {
        let store = try await LocalDiskBlobStore.open(directory, openat2: openat2)
        let container = "containers/0190a000-0000-7000-8000-000000000000"
        try place([Self.blob.name, container])
        for name in ["store/00", "store/01"] { try FileManager.default.removeItem(atPath: "\(directory.path)/\(name)") }
        try place(["store/00"])
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory.path)/store/01", withDestinationPath: directory.path)
        #expect(try await store.keys(after: nil, limit: 100) == [Self.blob])
        let strays = try await store.strays(limit: 100)
        #expect(strays.map(\.text).sorted() == [container, "store/00", "store/01"])
    }

    @Test("takes a staging file for abandoned once nobody has written to it for a day")
    func abandonedUploads() async throws {
        let store = try await LocalDiskBlobStore.open(directory)
        let (old, young) = (String(repeating: "0a", count: 16), String(repeating: "0b", count: 16))
        try place(["staging/\(old)", "staging/\(young)"])
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -86_500)], ofItemAtPath: "\(directory.path)/staging/\(old)")
        #expect(
            try await store.strays(limit: 10) == [Stray(name: Array("staging/\(old)".utf8), origin: .abandonedUpload)])
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
