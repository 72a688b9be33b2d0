import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageS3

@Suite("Transfers that break")
struct BrokenTransferTests {
    private let s3 = ScriptedS3()

    private func staged(_ bytes: ByteBuffer, in store: S3BlobStore) async throws -> (StagedBlob, BlobKey) {
        let staged = try await store.stage(ByteStream(bytes))
        return (staged, BlobKey(space: .shared, digest: staged.digest))
    }

    private func save(_ bytes: ByteBuffer, in store: S3BlobStore) async throws -> BlobKey {
        let (staged, key) = try await staged(bytes, in: store)
        do {
            try await store.publish(staged, as: key)
            await store.discard(staged)
            return key
        } catch {
            await store.discard(staged)
            throw error
        }
    }

    /// With uploads in parts of 100,000 bytes.
    private func inParts(_ configuration: inout S3Configuration) {
        configuration.multipartThreshold = 250_000
        configuration.partSize = 100_000
    }

    @Test("a download goes on at the byte where it broke", arguments: [0, 1, 65_536, 99_999, 299_999])
    func resumedDownload(kept: Int) async throws {
        try await s3.withStore { store in
            let bytes = ByteBuffer.random(count: 300_000, seed: 1)
            let key = try await save(bytes, in: store)
            s3.lie { request, count, honest in
                guard request.operation == "GetObject", count == 1 else { return honest }
                var answer = honest
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: kept) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            let read = try await content.stream.collect(upTo: 300_000)
            #expect(read == bytes)
            #expect(s3.count("GetObject") == 2)
            // What was received and not yet taken may be asked for again.
            let start = s3.ranges.first.flatMap { Int($0.dropFirst("bytes=".count).prefix { $0 != "-" }) }
            #expect(start.map { $0 <= kept } == true)
        }
    }

    @Test("a part that is there is not taken for one that is not", arguments: [1_000, 300_000])
    func deniedPart(size: Int) async throws {
        try await s3.withStore { store in
            let bytes = ByteBuffer.random(count: size, seed: 4)
            let key = try await save(bytes, in: store)
            s3.refuse { request, count in
                request.operation == "GetObject" && count == 1 ? .error(416, "InvalidRange") : nil
            }
            let content = try #require(try await store.open(key, range: 10..<500))
            let read = try await content.stream.collect(upTo: 490)
            #expect(content.range == 10..<500)
            #expect(read == bytes.getSlice(at: 10, length: 490))
            s3.refuse { request, _ in request.operation == "GetObject" ? .error(416, "InvalidRange") : nil }
            await #expect(throws: StorageError.self) { _ = try await store.open(key, range: 10..<500) }
        }
    }

    @Test("a small blob that breaks off is read again", arguments: [0, 1, 999])
    func smallDownload(kept: Int) async throws {
        try await s3.withStore { store in
            let bytes = ByteBuffer.random(count: 1_000, seed: 2)
            let key = try await save(bytes, in: store)
            s3.lie { request, count, honest in
                guard request.operation == "GetObject", count == 1 else { return honest }
                var answer = honest
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: kept) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            let read = try await content.stream.collect(upTo: 1_000)
            #expect(read == bytes)
        }
    }

    @Test("a download that breaks again and again fails in the end, and never ends as if it were whole")
    func hopelessDownload() async throws {
        try await s3.withStore { store in
            let key = try await save(.random(count: 300_000, seed: 3), in: store)
            s3.lie { request, _, honest in
                guard request.operation == "GetObject" else { return honest }
                var answer = honest
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: 0) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            await #expect(throws: StorageError.self) { _ = try await content.stream.collect(upTo: 300_000) }
            #expect(s3.count("GetObject") < 20)
        }
    }

    @Test("many downloads that break in the same moment all go on")
    func manyBrokenDownloads() async throws {
        let many = 40
        try await s3.withStore { store in
            let bytes = ByteBuffer.random(count: 300_000, seed: 13)
            let key = try await save(bytes, in: store)
            s3.lie { request, count, honest in
                guard request.operation == "GetObject", count <= many else { return honest }
                var answer = honest
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: 100_000) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            var contents: [BlobContent] = []
            for _ in 0..<many { contents.append(try #require(try await store.open(key, range: nil))) }
            try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
                for content in contents { group.addTask { try await content.stream.collect(upTo: 300_000) } }
                for try await read in group { #expect(read == bytes) }
            }
            #expect(s3.count("GetObject") == 2 * many)
            #expect(store.caller.circuitState == .closed)
        }
    }

    @Test("a download of which little comes each time fails in the end, however much may be repeated")
    func dribblingDownload() async throws {
        try await s3.withStore {
            $0.retryPolicy.budget.reserve = 10_000
        } _: { store in
            let key = try await save(.random(count: 3_000_000, seed: 14), in: store)
            s3.lie { request, _, honest in
                guard request.operation == "GetObject" else { return honest }
                var answer = honest
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: 1_000) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            await #expect(throws: StorageError.self) { _ = try await content.stream.collect(upTo: 3_000_000) }
            #expect(s3.count("GetObject") == store.configuration.retryPolicy.maximumAttempts)
        }
    }

    @Test("a receiver who was slow is asked for no patience afterwards: what breaks again and again fails")
    func hopelessDownloadOfSlowReceiver() async throws {
        try await s3.withStore {
            $0.idleTimeout = .seconds(3)
        } _: { store in
            let key = try await save(.random(count: 3_000_000, seed: 12), in: store)
            s3.lie { request, count, honest in
                guard request.operation == "GetObject" else { return honest }
                var answer = honest
                let kept = count == 1 ? 1_000_000 : 0
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: kept) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            var chunks = content.stream.makeAsyncIterator()
            _ = try await chunks.next()
            try await Task.sleep(for: .milliseconds(1_100))
            await #expect(throws: StorageError.self) { while try await chunks.next() != nil {} }
            #expect(s3.count("GetObject") < 20)
        }
    }

    @Test("a resumed download does not mix objects")
    func replacedObject() async throws {
        try await s3.withStore { store in
            let key = try await save(.random(count: 300_000, seed: 4), in: store)
            s3.lie { request, count, honest in
                guard request.operation == "GetObject", count == 1 else { return honest }
                var answer = honest
                answer.body = honest.body.getSlice(at: honest.body.readerIndex, length: 100_000) ?? ByteBuffer()
                answer.isCut = true
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            s3.replace(key.name, .random(count: 300_000, seed: 5))
            await #expect(throws: StorageError.self) { _ = try await content.stream.collect(upTo: 300_000) }
        }
    }

    @Test("another part than was asked for is not taken for it")
    func wrongPart() async throws {
        try await s3.withStore { store in
            let key = try await save(.random(count: 300_000, seed: 6), in: store)
            s3.lie { request, _, honest in
                guard request.operation == "GetObject" else { return honest }
                var answer = honest
                answer.headers = honest.headers.map { name, value in
                    name == "Content-Range" ? (name, "bytes 0-99999/300000") : (name, value)
                }
                return answer
            }
            await #expect(throws: StorageError.self) { _ = try await store.open(key, range: 1_000..<101_000) }
        }
    }

    @Test("a large blob goes up in parts, and comes down whole")
    func parts() async throws {
        try await s3.withStore(inParts) { store in
            let bytes = ByteBuffer.random(count: 1_050_001, seed: 7)
            let key = try await save(bytes, in: store)
            let content = try #require(try await store.open(key, range: nil))
            let read = try await content.stream.collect(upTo: 1_050_001)
            #expect(read == bytes)
            #expect(s3.count("UploadPart") == 11)
            #expect(s3.count("HeadObject") == 2)
            #expect(s3.uploads == 0)
        }
    }

    @Test("an error behind the status 200 of a completion is an error", arguments: ["InternalError", "SlowDown"])
    func errorBehindSuccess(code: String) async throws {
        try await s3.withStore(inParts) { store in
            s3.lie { request, count, honest in
                guard request.operation == "CompleteMultipartUpload", count == 1 else { return honest }
                return ScriptedAnswer.error(200, code)
            }
            let bytes = ByteBuffer.random(count: 500_000, seed: 8)
            let key = try await save(bytes, in: store)
            let size = try await store.info(for: key)?.size
            #expect(size == 500_000)
            #expect(s3.uploads == 0)
        }
    }

    @Test("an upload whose parts the server has forgotten begins anew", arguments: ["NoSuchUpload", "InvalidPart"])
    func forgottenUpload(code: String) async throws {
        try await s3.withStore(inParts) { store in
            s3.lie { request, count, honest in
                request.operation == "UploadPart" && count == 3 ? .error(404, code) : honest
            }
            let key = try await save(.random(count: 500_000, seed: 9), in: store)
            let size = try await store.info(for: key)?.size
            #expect(size == 500_000)
            #expect(s3.count("CreateMultipartUpload") == 2)
            #expect(s3.uploads == 0)
        }
    }

    @Test("a service that takes its time to put parts together is waited for")
    func slowCompletion() async throws {
        try await s3.withStore {
            inParts(&$0)
            $0.idleTimeout = .seconds(2)
            $0.retryPolicy.maximumAttempts = 1
        } _: { store in
            s3.lie { request, _, honest in
                guard request.operation == "CompleteMultipartUpload" else { return honest }
                var answer = honest
                answer.delay = .seconds(4)
                return answer
            }
            _ = try await save(.random(count: 500_000, seed: 15), in: store)
            #expect(s3.count("CompleteMultipartUpload") == 1)
        }
    }

    @Test("parts that were put together are not put together again because the answer was lost")
    func lostCompletion() async throws {
        try await s3.withStore(inParts) { store in
            s3.lie { request, _, honest in
                request.operation == "CompleteMultipartUpload" ? ScriptedAnswer(isSilent: true) : honest
            }
            let key = try await save(.random(count: 500_000, seed: 16), in: store)
            let size = try await store.info(for: key)?.size
            #expect(size == 500_000)
            #expect(s3.count("CompleteMultipartUpload") == 1)
        }
    }

    @Test("a completion has time by the size of the whole, and an end")
    func completionTimes() {
        #expect(S3Client.duration(ofJoining: 64 << 20, parts: 4) < .seconds(65))
        #expect(S3Client.duration(ofJoining: 100 << 30, parts: 6_400) > .seconds(3_000))
        #expect(S3Client.duration(ofJoining: .max, parts: 10_000) == .seconds(3_600))
    }

    @Test("what takes longer than it may is ended", .timeLimit(.minutes(1)))
    func limits() async throws {
        let error = await #expect(throws: StorageError.self) {
            try await S3Client.limited(to: .milliseconds(10)) { try await Task.sleep(for: .seconds(100)) }
        }
        #expect(error?.isTransient == true)
        let value = try await S3Client.limited(to: .seconds(100)) { 7 }
        #expect(value == 7)
    }

    @Test("an upload that fails gives its parts back", arguments: ["UploadPart", "CompleteMultipartUpload"])
    func failedUpload(operation: String) async throws {
        try await s3.withStore(inParts) { store in
            s3.lie { request, _, honest in request.operation == operation ? .error(403, "AccessDenied") : honest }
            await #expect(throws: StorageError.self) {
                _ = try await save(.random(count: 500_000, seed: 10), in: store)
            }
            #expect(s3.count("AbortMultipartUpload") == 1)
        }
    }

    @Test("an upload that is cancelled gives its parts back")
    func cancelledUpload() async throws {
        try await s3.withStore(inParts) { store in
            let (reached, signal) = AsyncStream.makeStream(of: Void.self)
            s3.lie { request, count, honest in
                guard request.operation == "UploadPart", count > 2 else { return honest }
                signal.yield()
                // Never answered, and never closed.
                return ScriptedAnswer(headers: [("ETag", "\"x\"")], announced: 10)
            }
            let (staged, key) = try await staged(.random(count: 500_000, seed: 11), in: store)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await store.publish(staged, as: key) }
                for await _ in reached { break }
                group.cancelAll()
            }
            await store.discard(staged)
            #expect(s3.uploads == 0)
            #expect(s3.count("AbortMultipartUpload") == 1)
        }
    }
}
