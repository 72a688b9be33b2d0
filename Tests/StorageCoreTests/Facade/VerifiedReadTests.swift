import Glibc
import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("Bytes that pass through memory whole")
struct VerifiedReadTests {
    private static let whole = ByteBuffer.random(count: 1_000, seed: 7)
    private static let chunk = 100

    /// How a store may hand out bytes.
    enum Form: CaseIterable {
        case stream
        case file
    }

    private static func content(_ bytes: ByteBuffer, as form: Form) throws -> BlobContent {
        let stream = ByteStream.chunked(bytes, sizes: [chunk], length: 1_000)
        let body: BlobContent.Body =
            switch form {
            case .stream: .stream(stream)
            case .file: .file(OpenFile(adopting: Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)), stream: stream)
            }
        return BlobContent(size: 1_000, range: 0..<1_000, body: body)
    }

    /// Stores the bytes, has the store hand out others, and opens them.
    private func open(
        _ others: ByteBuffer, as form: Form, range: ByteRange = 0..<1_000,
        _ verification: FileStorage.Policy.Verification = .streamed
    ) async throws -> (BlobContent, ByteStream) {
        let fixture = StorageFixture { $0.verification = verification }
        let ann = try await fixture.user()
        let body = ByteStream(Self.whole)
        _ = try await fixture.storage.put(NewFile(path: try FilePath("a")), body: body, as: ann)
        let handedOut = try Self.content(others, as: form)
        fixture.blobs.plan { script in
            script.content = { _ in BlobContent(size: 1_000, range: range, body: handedOut.body) }
        }
        let selector = try fixture.storage.selector("a", of: ann)
        let (record, content) = try await fixture.storage.read(selector) { ($0, range) }
        let opened = try #require(content)
        return (opened, fixture.storage.stream(opened, of: try #require(record.revision)))
    }

    /// Everything that comes out before the end or a throw.
    private func drain(_ stream: ByteStream) async -> (bytes: ByteBuffer, error: StorageError?) {
        var bytes = ByteBuffer()
        do {
            for try await var chunk in stream { bytes.writeBuffer(&chunk) }
            return (bytes, nil)
        } catch {
            return (bytes, error as? StorageError)
        }
    }

    @Test("pass when they are the file's", arguments: Form.allCases)
    func whole(_ form: Form) async throws {
        let (_, stream) = try await open(Self.whole, as: form)
        for _ in 0..<2 {
            let (bytes, error) = await drain(stream)
            #expect(bytes == Self.whole)
            #expect(error == nil)
        }
    }

    @Test("end after the last chunk, however often they are asked for more")
    func pastTheEnd() async throws {
        let (_, stream) = try await open(Self.whole, as: .stream)
        var chunks = stream.makeAsyncIterator()
        while try await chunks.next() != nil {}
        let after = try await chunks.next()
        #expect(after == nil)
    }

    @Test(
        "break off before the last chunk when one bit is wrong",
        arguments: [0, 99, 100, 499, 899, 900, 999], Form.allCases)
    func flippedBit(position: Int, form: Form) async throws {
        var wrong = Self.whole
        let byte = wrong.getInteger(at: position, as: UInt8.self) ?? 0
        wrong.setInteger(byte ^ 1, at: position)
        let (_, stream) = try await open(wrong, as: form)
        let (bytes, error) = await drain(stream)
        #expect(error?.code == .corrupt)
        #expect(bytes.readableBytes == 1_000 - Self.chunk)
    }

    @Test("break off when there are too few or too many of them", arguments: [0, 1, 100, 900, 999, 1_001, 1_100])
    func wrongCount(count: Int) async throws {
        var wrong = Self.whole
        wrong.writeBytes([UInt8](repeating: 0, count: 100))
        wrong.moveWriterIndex(to: count)
        let (_, stream) = try await open(wrong, as: .stream)
        let (bytes, error) = await drain(stream)
        #expect(error?.code == .corrupt)
        #expect(bytes.readableBytes < max(count, 1))
    }

    @Test("are refused before any of them leaves when they are in one piece")
    func onePiece() async throws {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        fixture.blobs.plan { script in
            script.content = { _ in
                BlobContent(size: 5, range: 0..<5, body: .bytes(ByteBuffer(string: "jello")))
            }
        }
        let error = await #expect(throws: StorageError.self) { try await fixture.storage.text(at: "a", of: ann) }
        #expect(error?.code == .corrupt)
    }

    @Test("are not compared when they are only a part", arguments: Form.allCases)
    func part(_ form: Form) async throws {
        var wrong = Self.whole
        wrong.setInteger(UInt8(0), at: 0)
        wrong.setInteger(UInt8(1), at: 1)
        wrong.moveWriterIndex(to: 999)
        let (_, stream) = try await open(wrong, as: form, range: 0..<999)
        let (bytes, error) = await drain(stream)
        #expect(bytes == wrong)
        #expect(error == nil)
    }

    @Test(
        "leave a file as a file, unless the policy always compares",
        arguments: [(.streamed, true), (.always, false)] as [(FileStorage.Policy.Verification, Bool)])
    func policy(verification: FileStorage.Policy.Verification, staysFile: Bool) async throws {
        let (content, stream) = try await open(Self.whole, as: .file, verification)
        let isFile = if case .file = content.body { true } else { false }
        #expect(isFile == staysFile)
        let (bytes, _) = await drain(stream)
        #expect(bytes == Self.whole)
    }

    @Test("pass on what the store throws")
    func storeFailure() async throws {
        struct DiskFailure: Error {}
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        try await fixture.storage.put("hello", at: "a", as: ann)
        fixture.blobs.plan { script in
            script.content = { _ in
                let broken = ByteStream(length: 5, isReplayable: true) { { throw DiskFailure() } }
                return BlobContent(size: 5, range: 0..<5, body: .stream(broken))
            }
        }
        await #expect(throws: DiskFailure.self) { try await fixture.storage.text(at: "a", of: ann) }
    }

    /// Lets a store hand out wrong bytes so many times, reads once, and says what is known of the file then.
    private func damage(replacements: Int?) async throws -> (fixture: StorageFixture, ann: Principal, isIntact: Bool?) {
        let fixture = StorageFixture()
        let ann = try await fixture.user()
        for path in ["a", "b"] { try await fixture.storage.put("hello", at: path, as: ann) }
        fixture.blobs.plan { script in
            script.replacements = replacements
            script.content = { _ in
                BlobContent(size: 5, range: 0..<5, body: .stream(ByteStream(ByteBuffer(string: "jello"))))
            }
        }
        let code = await refusalCode { try await fixture.storage.text(at: "a", of: ann) }
        #expect(code == .corrupt)
        return (fixture, ann, try await fixture.storage.entry(at: "a", of: ann)?.revision?.isIntact)
    }

    @Test("that were wrong only once or twice are read again", arguments: [1, 2])
    func passingDamage(times: Int) async throws {
        let (fixture, ann, isIntact) = try await damage(replacements: times)
        #expect(isIntact == true)
        let text = try await fixture.storage.text(at: "a", of: ann)
        #expect(text == "hello")
    }

    @Test("that are wrong a third time are never served again, until the same content is stored anew")
    func lastingDamage() async throws {
        let (fixture, ann, isIntact) = try await damage(replacements: nil)
        #expect(isIntact == false)
        fixture.journal.clear()
        fixture.blobs.plan { $0.content = nil }
        let code = await refusalCode { try await fixture.storage.text(at: "b", of: ann) }
        #expect(code == .corrupt)
        #expect(fixture.journal.count(.open) == 0)
        try await fixture.storage.put("hello", at: "a", as: ann)
        for path in ["a", "b"] {
            let text = try await fixture.storage.text(at: path, of: ann)
            #expect(text == "hello")
        }
    }
}
