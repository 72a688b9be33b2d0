import Foundation
import NIOCore
import Testing

@testable import StorageCore

/// A way to run a store: with everything the kernel offers, and with the fallbacks.
struct StoreVariant: Sendable, CustomTestStringConvertible {
    var unnamed = true
    var openat2 = true

    static let all = [
        StoreVariant(), StoreVariant(unnamed: false), StoreVariant(openat2: false),
        StoreVariant(unnamed: false, openat2: false),
    ]

    var testDescription: String { "\(unnamed ? "O_TMPFILE" : "named files"), \(openat2 ? "openat2" : "O_NOFOLLOW")" }
}

@Suite("A store on disk")
struct LocalDiskBlobStoreTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(_ variant: StoreVariant = StoreVariant()) async throws -> LocalDiskBlobStore {
        try await .open(directory, unnamed: variant.unnamed, openat2: variant.openat2)
    }

    private static let container = Space(id: ContainerID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001))

    static let bodies: [[Int]] = [
        [], [1], [65_535], [65_536], [65_537], [1, 2, 3], Array(repeating: 100, count: 3_000),
        [300_000, 1, 300_000, 65_536, 5], Array(repeating: 262_144, count: 6), [2 << 20],
    ]

    @Test("gives back the bytes it took in, under the digest's name", arguments: StoreVariant.all, bodies)
    func roundTrip(variant: StoreVariant, chunks: [Int]) async throws {
        let store = try await open(variant)
        let size = Int64(chunks.reduce(0, +))
        for length in [nil, size] {
            for space in [Space.shared, Self.container] {
                let body = ByteStream.chunks(chunks, length: length)
                let expected = try await body.bytes()
                let key = try await store.put(body, space: space)
                #expect(key.digest.bytes == (try SHA256.hash(expected)))
                let content = try #require(try await store.open(key, range: nil))
                #expect(content.size == size)
                #expect(content.range == 0..<size)
                let bytes = try await content.bytes()
                #expect(bytes == expected)
                let info = try await store.info(for: key)
                #expect(info == BlobInfo(size: size))
                let file = "\(directory.path)/\(key.name)"
                #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/staging").isEmpty)
    }

    static let ranges: [(wanted: ByteRange, given: ByteRange)] = [
        (0..<1, 0..<1), (5..<10, 5..<10), (0..<100_000, 0..<100_000), (100_000..<200_001, 100_000..<200_000),
        (199_999..<Int64.max, 199_999..<200_000), (200_000..<200_001, 200_000..<200_000),
        (Int64.max - 1..<Int64.max, 200_000..<200_000), (7..<7, 7..<7), (-5..<3, 0..<3),
    ]

    @Test("gives the part that is asked for, cut to the size", arguments: ranges, [true, false])
    func parts(_ ranges: (wanted: ByteRange, given: ByteRange), openat2: Bool) async throws {
        let (wanted, given) = ranges
        let store = try await open(StoreVariant(openat2: openat2))
        let body = ByteStream.chunks([200_000], length: 200_000)
        let key = try await store.put(body)
        let content = try #require(try await store.open(key, range: wanted))
        #expect(content.size == 200_000)
        #expect(content.range == given)
        let bytes = try await content.bytes()
        let expected = try await body.bytes()
        #expect(bytes == Array(expected[Int(given.lowerBound)..<Int(given.upperBound)]))
    }

    @Test(
        "nothing is visible before it is published, and nothing is left after it is discarded",
        arguments: StoreVariant.all)
    func staging(variant: StoreVariant) async throws {
        let store = try await open(variant)
        for chunks in [[10], [300_000, 300_000]] {
            let staged = try await store.stage(.chunks(chunks, length: nil))
            let visible = try await store.info(for: BlobKey(space: .shared, digest: staged.digest))
            #expect(visible == nil)
            await store.discard(staged)
            await store.discard(staged)
            #expect(try directory.files == ["store.id"])
            #expect(try directory.openFiles.isEmpty)
            let code = await codeThrown {
                try await store.publish(staged, as: BlobKey(space: .shared, digest: staged.digest))
            }
            #expect(code == .internal)
        }
    }

    @Test("a staged body that is dropped is given back", arguments: [true, false])
    func dropped(unnamed: Bool) async throws {
        let store = try await open(StoreVariant(unnamed: unnamed))
        _ = try await store.stage(.chunks([300_000], length: nil))
        #expect(try directory.files == ["store.id"])
        #expect(try directory.openFiles.isEmpty)
    }

    @Test("publishes the same bytes again and under several keys", arguments: StoreVariant.all)
    func publishAgain(variant: StoreVariant) async throws {
        let store = try await open(variant)
        let staged = try await store.stage(.chunks([1_000], length: nil))
        let keys = [(Space.shared, Int64(0)), (.shared, 17), (Self.container, 0)].map { space, generation in
            BlobKey(space: space, digest: staged.digest, generation: generation)
        }
        for key in keys + keys { try await store.publish(staged, as: key) }
        await store.discard(staged)
        #expect(try directory.files == (keys.map(\.name) + ["store.id"]).sorted())
        let other = try await store.put(.chunks([1_000], length: nil))
        #expect(other == keys[0])
    }

    @Test("refuses to publish over other bytes, and changes nothing", arguments: StoreVariant.all)
    func mismatch(variant: StoreVariant) async throws {
        let store = try await open(variant)
        let staged = try await store.stage(.chunks([1_000], length: nil))
        let key = BlobKey(space: .shared, digest: staged.digest)
        let file = "\(directory.path)/\(key.name)"
        try #require(FileManager.default.createFile(atPath: file, contents: Data("short".utf8)))
        let code = await codeThrown { try await store.publish(staged, as: key) }
        #expect(code == .blobMismatch)
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("short".utf8))
    }

    @Test("refuses to publish over a folder, a FIFO or a symlink")
    func mismatchedKind() async throws {
        let store = try await open()
        for (index, plant) in [plantFolder, plantFIFO, plantSymlink].enumerated() {
            let staged = try await store.stage(.chunks([index + 1], length: nil))
            let key = BlobKey(space: .shared, digest: staged.digest)
            try plant("\(directory.path)/\(key.name)")
            let code = await codeThrown { try await store.publish(staged, as: key) }
            #expect(code == .blobMismatch)
        }
    }

    @Test("never follows what is planted in place of a blob", arguments: StoreVariant.all)
    func plantedBlob(variant: StoreVariant) async throws {
        let store = try await open(variant)
        for (index, plant) in [plantFolder, plantFIFO, plantSymlink].enumerated() {
            let digest = try SHA256.digest(of: ByteBuffer(integer: index))
            let key = BlobKey(space: .shared, digest: digest)
            try plant("\(directory.path)/\(key.name)")
            let read = await codeThrown { _ = try await store.open(key, range: nil) }
            #expect(read == .corrupt || read == .wrongStore)
            let asked = await codeThrown { _ = try await store.info(for: key) }
            #expect(asked == .corrupt || asked == .wrongStore)
        }
    }

    @Test("never leaves the store through a planted folder", arguments: StoreVariant.all)
    func plantedFolder(variant: StoreVariant) async throws {
        let store = try await open(variant)
        let elsewhere = try TemporaryDirectory()
        let body = ByteStream.chunks([1_000], length: nil)
        let staged = try await store.stage(body)
        let key = BlobKey(space: .shared, digest: staged.digest)
        try #require(
            FileManager.default.createFile(
                atPath: "\(elsewhere.path)/\(key.leaf)", contents: Data(try await body.bytes())))
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(key.folder)")
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory.path)/\(key.folder)", withDestinationPath: elsewhere.path)

        let codes = [
            await codeThrown { try await store.publish(staged, as: key) },
            await codeThrown { _ = try await store.open(key, range: nil) },
            await codeThrown { _ = try await store.info(for: key) },
            await codeThrown { try await store.remove(key) },
        ]
        #expect(codes == [.wrongStore, .wrongStore, .wrongStore, .wrongStore])
        #expect(try elsewhere.files == [key.leaf])
    }

    @Test("absence is nil", arguments: StoreVariant.all)
    func absent(variant: StoreVariant) async throws {
        let store = try await open(variant)
        for space in [Space.shared, Self.container] {
            let key = BlobKey(space: space, digest: try SHA256.digest(of: ByteBuffer()))
            #expect(try await store.open(key, range: nil) == nil)
            #expect(try await store.info(for: key) == nil)
            try await store.remove(key)
        }
        #expect(try directory.files == ["store.id"])
    }

    @Test("removes what it is told to, and an opened blob stays readable", arguments: StoreVariant.all)
    func removal(variant: StoreVariant) async throws {
        let store = try await open(variant)
        let body = ByteStream.chunks([200_000], length: nil)
        let one = try await store.put(body)
        let other = try await store.put(body, space: Self.container)
        let content = try #require(try await store.open(one, range: nil))
        try await store.remove(one)
        #expect(try await store.info(for: one) == nil)
        #expect(try await store.info(for: other) != nil)
        let bytes = try await content.bytes()
        let expected = try await body.bytes()
        #expect(bytes == expected)

        var keys: [BlobKey] = []
        for seed in 1...40 { keys.append(try await store.put(.chunks([50], seed: UInt64(seed), length: nil))) }
        try await store.remove(keys + [one])
        #expect(try await store.keys(after: nil, limit: 100) == [other])
    }

    @Test("two blobs whose digests begin alike do not share a fate")
    func neighboursInFolder() async throws {
        let store = try await open()
        var byPrefix: [String: BlobKey] = [:]
        var pair: (BlobKey, BlobKey)?
        // 400 digests surely share a first byte.
        for seed in UInt64(1)...400 {
            if pair != nil { break }
            let key = try await store.put(.chunks([8], seed: seed, length: nil))
            if let other = byPrefix.updateValue(key, forKey: key.digest.prefix) { pair = (other, key) }
        }
        let (one, other) = try #require(pair)
        try await store.remove(one)
        #expect(try await store.info(for: other) == BlobInfo(size: 8))
    }

    private func plantFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    private func plantFIFO(_ path: String) throws {
        try #require(mkfifo(path, 0o600) == 0)
    }

    private func plantSymlink(_ path: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/hostname")
    }
}
