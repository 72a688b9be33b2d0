import Foundation
import NIOCore
import Testing

@testable import StorageCore

@Suite("A spool on disk")
struct SpoolTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(unnamed: Bool = true) async throws -> LocalDiskBlobStore {
        var configuration = LocalDiskBlobStore.Configuration()
        configuration.isSpool = true
        configuration.allowsUnnamedFiles = unnamed
        return try await .open(directory: directory.path, configuration: configuration)
    }

    private static let size: Int64 = 1_000_000

    @Test("has nothing but a folder for files on their way, also among other things")
    func layout() async throws {
        try Data().write(to: URL(filePath: "\(directory.path)/something"))
        let spool = try await open()
        #expect(spool.storeID.isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(names == ["something", "staging"])
    }

    @Test(
        "makes nothing for who works beside a daemon, and needs its folder only where files must have names",
        arguments: [true, false])
    func besideDaemon(unnamed: Bool) async throws {
        var configuration = LocalDiskBlobStore.Configuration()
        (configuration.isSpool, configuration.createsStore) = (true, false)
        configuration.allowsUnnamedFiles = unnamed
        let code = await refusalCode {
            let spool = try await LocalDiskBlobStore.open(directory: directory.path, configuration: configuration)
            let staged = try await spool.stage(.chunks([Int(Self.size)], length: nil))
            await spool.discard(staged)
        }
        #expect(code == (unnamed ? nil : .wrongStore))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test("gives the parts of a body, again and at once with others", arguments: [true, false])
    func parts(unnamed: Bool) async throws {
        let spool = try await open(unnamed: unnamed)
        let body = ByteStream.chunks([300_000, 1, 699_999], length: Self.size)
        let expected = try await body.bytes()
        let staged = try await spool.stage(body)
        #expect(staged.size == Self.size)
        #expect(staged.digest.bytes == (try SHA256.hash(expected)))
        let ranges: [ByteRange] = [
            0..<Self.size, 0..<0, 1..<2, 262_143..<262_145, 299_999..<300_002, 999_999..<2_000_000,
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for range in ranges + ranges {
                group.addTask {
                    let part = range.clamped(to: 0..<Self.size)
                    let wanted = Array(expected[Int(part.lowerBound)..<Int(part.upperBound)])
                    let stream = spool.stream(of: staged, range: range)
                    #expect(stream.length == Int64(wanted.count))
                    #expect(stream.isReplayable)
                    for _ in 0..<2 { #expect(try await stream.bytes() == wanted) }
                    let digest = try await spool.digest(of: staged, range: range)
                    #expect(digest.bytes == (try SHA256.hash(wanted)))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await spool.stream(of: staged).bytes() == expected)
        await spool.discard(staged)
        #expect(try directory.files.isEmpty)
        #expect(try directory.sizeOfOpenFiles == 0)
    }

    @Test("refuses what was given back, while a pass that began before goes on to its end")
    func givenBack() async throws {
        let spool = try await open()
        let staged = try await spool.stage(.chunks([Int(Self.size)], length: nil))
        var pass = spool.stream(of: staged).makeAsyncIterator()
        var count = try await pass.next()?.readableBytes ?? 0
        await spool.discard(staged)
        await #expect(throws: StorageError.self) { try await spool.stream(of: staged).bytes() }
        await #expect(throws: StorageError.self) { try await spool.digest(of: staged, range: 0..<1) }
        while let chunk = try await pass.next() { count += chunk.readableBytes }
        #expect(count == Self.size)
    }

    @Test("refuses bodies of another")
    func another() async throws {
        let other = try await InMemoryBlobStore().stage(ByteStream(ByteBuffer(string: "x")))
        let spool = try await open()
        await #expect(throws: StorageError.self) { try await spool.stream(of: other).bytes() }
        await #expect(throws: StorageError.self) {
            try await spool.publish(other, as: BlobKey(space: .shared, digest: .zero))
        }
    }

    @Test("publishes nothing, and has no blobs")
    func nothingVisible() async throws {
        let spool = try await open()
        let staged = try await spool.stage(ByteStream(ByteBuffer(string: "x")))
        let key = BlobKey(space: .shared, digest: staged.digest)
        await #expect(throws: StorageError.self) { try await spool.publish(staged, as: key) }
        #expect(try await spool.info(for: key) == nil)
        #expect(try await spool.keys(after: nil, limit: 10).isEmpty)
    }
}
