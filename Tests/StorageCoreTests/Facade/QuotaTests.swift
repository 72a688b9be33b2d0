import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("A container with a limit")
struct QuotaTests {
    private func fixture(bytes: Int64? = nil, files: Int64? = nil) -> StorageFixture {
        StorageFixture { $0.limits = ContainerLimits(bytes: bytes, files: files) }
    }

    private func file(_ path: String) throws -> NewFile {
        NewFile(path: try FilePath(path), mediaType: MediaType("text/plain"))
    }

    /// What the container has set aside; 0 when all of it was given back.
    private func reserved(_ fixture: StorageFixture) async throws -> Int64 {
        let containers = try await fixture.metadata.inspectContainers(after: nil, limit: 10)
        let areExact = containers.allSatisfy(\.isExact)
        #expect(areExact)
        return containers.reduce(0) { $0 + $1.recordedReservations }
    }

    private func expectQuota(_ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("There was room where there should be none.")
        } catch {
            #expect((error as? StorageError)?.code == .quotaExceeded)
        }
    }

    @Test("refuses a body of known length before its first byte is asked for")
    func refusedEarly() async throws {
        let fixture = fixture(bytes: 10)
        let ann = try await fixture.user()
        let body = WatchedBody("0123456789!")
        await expectQuota { _ = try await fixture.storage.put(try file("a"), body: body.stream(length: 11), as: ann) }
        #expect(body.timesAsked == 0)
        let full = WatchedBody()
        try await fixture.storage.put("0123456789", at: "a", as: ann)
        await expectQuota { _ = try await fixture.storage.put(try file("b"), body: full.stream(length: 1), as: ann) }
        #expect(full.timesAsked == 0)
        let left = try await reserved(fixture)
        #expect(left == 0)
    }

    @Test("stops a body of unknown length where the room ends, and keeps nothing of it")
    func stopped() async throws {
        let fixture = fixture(bytes: 100)
        let ann = try await fixture.user()
        let chunks = ByteStream.random(count: 1_000, seed: 1, chunkSize: 10)
        let unknown = ByteStream(length: nil, isReplayable: false) {
            var iterator = chunks.makeAsyncIterator()
            return { try await iterator.next() }
        }
        await expectQuota { _ = try await fixture.storage.put(try file("a"), body: unknown, as: ann) }
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(limitBytes: 100))
        let left = try await reserved(fixture)
        #expect(left == 0)
    }

    @Test("takes a new version that fits in place of the old one")
    func replaces() async throws {
        let fixture = fixture(bytes: 10, files: 1)
        let ann = try await fixture.user()
        try await fixture.storage.put("01234567", at: "a", as: ann)
        try await fixture.storage.put("0123456789", at: "a", as: ann)
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage == Usage(bytes: 10, files: 1, limitBytes: 10, limitFiles: 1))
        await expectQuota { try await fixture.storage.put("", at: "b", as: ann) }
    }

    @Test("gives room back when an upload fails, is discarded or is never put anywhere", arguments: 0..<3)
    func givesBack(_ way: Int) async throws {
        let fixture = fixture(bytes: 10)
        let ann = try await fixture.user()
        let body = ByteStream(ByteBuffer(string: "0123456789"))
        switch way {
        case 0:
            var refused = try file("a")
            refused.precondition.ifMatch = .any
            let staged = try await fixture.storage.stage(body, as: ann)
            await #expect(throws: StorageError.self) {
                _ = try await fixture.storage.put(refused, staged: staged, as: ann)
            }
            await fixture.storage.discard(staged)
        case 1:
            let broken = ByteStream(length: 10, isReplayable: false) { { throw CancellationError() } }
            await #expect(throws: CancellationError.self) {
                _ = try await fixture.storage.put(try file("a"), body: broken, as: ann)
            }
        default:
            let staged = try await fixture.storage.stage(body, as: ann)
            let held = try await reserved(fixture)
            #expect(held == 10)
            await fixture.storage.discard(staged)
        }
        let left = try await reserved(fixture)
        #expect(left == 0)
        try await fixture.storage.put("0123456789", at: "a", as: ann)
    }

    @Test("has the default of its kind of account")
    func kinds() async throws {
        let fixture = StorageFixture {
            $0.limits = ContainerLimits(bytes: 5)
            $0.tokenLimits = ContainerLimits(bytes: 3)
        }
        let ann = try await fixture.user()
        let token = Principal(identity: .newContainer(.random()))
        await expectQuota { try await fixture.storage.put("1234", at: "a", as: token) }
        try await fixture.storage.put("1234", at: "a", as: ann)
        let limits = [
            try await fixture.storage.usage(of: ann).limitBytes, try await fixture.storage.usage(of: token).limitBytes,
        ]
        #expect(limits == [5, 3])
    }

    @Test("counts the copy of a folder file by file")
    func copies() async throws {
        let fixture = fixture(bytes: 25)
        let ann = try await fixture.user()
        for name in ["a", "b"] { try await fixture.storage.put("0123456789", at: "f/\(name)", as: ann) }
        await expectQuota {
            _ = try await fixture.storage.copy(
                try fixture.storage.selector("f", of: ann), to: try FilePath("g"), as: ann, overwrite: false)
        }
        let usage = try await fixture.storage.usage(of: ann)
        #expect(usage.bytes == 20)
    }

    @Test("takes what may replace a file of its own, and nothing longer: which file shows only in the end")
    func replacing() async throws {
        let fixture = fixture(bytes: 10)
        let ann = try await fixture.user()
        try await fixture.storage.put("0123456", at: "a", as: ann)
        let known = try await fixture.storage.file(try fixture.storage.selector("a", of: ann))
        for (replaced, longest) in [
            (Replacement.nothing, 3), (.file(known), 10), (.sameContent, 7), (.unknown, 10),
        ] as [(Replacement, Int64)] {
            for length in [longest, nil] as [Int64?] {
                let whole = ByteStream.random(count: longest, seed: 1)
                let body = ByteStream(length: length, isReplayable: false) {
                    var chunks = whole.makeAsyncIterator()
                    return { try await chunks.next() }
                }
                let staged = try await fixture.storage.stage(body, as: ann, replacing: replaced)
                await fixture.storage.discard(staged)
            }
            try await fixture.storage.admitRoom(for: longest, replacing: replaced, as: ann)
            await expectQuota {
                _ = try await fixture.storage.stage(.random(count: longest + 1, seed: 1), as: ann, replacing: replaced)
            }
            await expectQuota {
                try await fixture.storage.admitRoom(for: longest + 1, replacing: replaced, as: ann)
            }
        }
        let left = try await reserved(fixture)
        #expect(left == 0)
    }

    @Test("is not made by a body that comes to nothing")
    func firstWrite() async throws {
        let fixture = StorageFixture { $0.tokenLimits = ContainerLimits(bytes: 10) }
        let stranger = Principal(identity: .newContainer(.random()))
        for length in [11, nil] as [Int64?] {
            let body = WatchedBody("0123456789!")
            await expectQuota {
                _ = try await fixture.storage.put(try file("a"), body: body.stream(length: length), as: stranger)
            }
        }
        let containers = try await fixture.metadata.inspectContainers(after: nil, limit: 10)
        #expect(containers.isEmpty)
    }

    @Test("of which all is used takes the bytes again that are published already, and keeps what is not sent again")
    func publishedAgain() async throws {
        let fixture = fixture(bytes: 7, files: 1)
        let ann = try await fixture.user()
        func publish(_ name: String?) async throws -> Revision? {
            let staged = try await fixture.storage.stage(
                ByteStream(ByteBuffer(string: "0123456")), as: ann, replacing: .sameContent)
            let new = NewFile(publishing: staged.digest, mediaType: nil, sentName: name, precondition: .none)
            let result = try await fixture.storage.put(new, staged: staged, as: ann)
            await fixture.storage.discard(staged)
            return result.record?.revision
        }
        let first = try await publish("picture.png")
        let again = try await publish(nil)
        #expect(first != nil)
        #expect(again == first)
        #expect(again?.sentName == "picture.png")
        #expect(again?.mediaType.description == "image/png")
        let renamed = try await publish("other.txt")
        #expect(renamed?.sentName == "other.txt")
    }
}
