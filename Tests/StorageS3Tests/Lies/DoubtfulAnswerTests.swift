import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import StorageCore
import StorageTesting
import Testing

@testable import StorageS3

@Suite("Answers that come late, by halves or from somebody else")
struct DoubtfulAnswerTests {
    private let s3 = ScriptedS3()

    private func save(_ bytes: ByteBuffer, in store: S3BlobStore) async throws -> BlobKey {
        let staged = try await store.stage(ByteStream(bytes))
        let key = BlobKey(space: .shared, digest: staged.digest)
        do {
            try await store.publish(staged, as: key)
            await store.discard(staged)
            return key
        } catch {
            await store.discard(staged)
            throw error
        }
    }

    private func failure(_ body: () async throws -> Void) async -> StorageError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test("a download of which only heads come fails in the end", .timeLimit(.minutes(1)))
    func silentBodies() async throws {
        try await s3.withStore {
            $0.idleTimeout = .seconds(1)
            // As if other calls paid for as many repetitions as there may be.
            $0.retryPolicy.budget.reserve = 10_000
        } _: { store in
            let key = try await save(.random(count: 300_000, seed: 1), in: store)
            s3.lie { request, _, honest in
                guard request.operation == "GetObject" else { return honest }
                var answer = honest
                answer.body = ByteBuffer()
                return answer
            }
            let content = try #require(try await store.open(key, range: nil))
            let error = await failure { _ = try await content.stream.collect(upTo: 300_000) }
            #expect(error?.isTransient == true)
            #expect(s3.count("GetObject") == store.configuration.retryPolicy.maximumAttempts)
        }
    }

    @Test("requests that never get an answer are made again before the deadline, by default")
    func defaultTimes() {
        let configuration = S3Configuration(
            endpoint: nil, bucket: "bucket", credentials: S3Credentials(accessKey: "key", secretKey: "secret"))
        #expect(configuration.idleTimeout * 2 < configuration.retryPolicy.deadline)
    }

    @Test("an upload that takes longer than the deadline and breaks off is made again")
    func slowUpload() async throws {
        try await s3.withStore {
            $0.retryPolicy.deadline = .milliseconds(500)
            $0.idleTimeout = .seconds(3)
        } _: { store in
            s3.lie { request, count, honest in
                guard request.operation == "PutObject", count == 1 else { return honest }
                // Applied, and never answered.
                return ScriptedAnswer(isMute: true)
            }
            let bytes = ByteBuffer.random(count: 1 << 20, seed: 2)
            let key = try await save(bytes, in: store)
            let size = try await store.info(for: key)?.size
            #expect(size == 1 << 20)
        }
    }

    @Test("uploads that are gone when they are to be given back are given back")
    func goneUploads() async throws {
        try await s3.withStore { store in
            let uploads = (1...3).map { "<Upload><Key>store/x</Key><UploadId>\($0)</UploadId></Upload>" }.joined()
            let page =
                "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\(uploads)</ListMultipartUploadsResult>"
            s3.refuse { request, count in
                switch request.operation {
                case "ListMultipartUploads" where request.query["prefix"] == "store/":
                    .xml(page)
                case "AbortMultipartUpload" where count == 1: .error(404, "NoSuchUpload")
                default: nil
                }
            }
            let count = try await store.abandonUploads(olderThan: .zero)
            #expect(count == 3)
            s3.refuse { request, _ in
                switch request.operation {
                case "ListMultipartUploads" where request.query["prefix"] == "store/":
                    .xml(page)
                case "AbortMultipartUpload": ScriptedAnswer(status: 404, body: ByteBuffer(string: "<html/>"))
                default: nil
                }
            }
            let error = await failure { _ = try await store.abandonUploads(olderThan: .zero) }
            #expect(error != nil)
        }
    }

    @Test("the answer to an upload that is given back is not taken in without end", .timeLimit(.minutes(1)))
    func endlessAnswer() async throws {
        try await s3.withStore { store in
            s3.refuse { request, _ in
                guard request.operation == "AbortMultipartUpload" else { return nil }
                return ScriptedAnswer(body: ByteBuffer(repeating: 0x20, count: 64 << 10), isEndless: true)
            }
            let error = await failure { try await store.bucket.abortUpload("id", "store/x") }
            #expect(error?.isTransient == true)
            // What is read, and what the sockets hold.
            #expect(s3.bytesSent < 64 << 20)
        }
    }

    @Test("connections that are all in use are no failure of the service")
    func fullPool() async throws {
        try await s3.withStore {
            $0.connections = 1
            $0.connectTimeout = .milliseconds(500)
            $0.retryPolicy.maximumAttempts = 1
        } _: { store in
            let key = try await save(.random(count: 20 << 20, seed: 3), in: store)
            let content = try #require(try await store.open(key, range: nil))
            var chunks = content.stream.makeAsyncIterator()
            _ = try await chunks.next()
            await withTaskGroup(of: StorageError?.self) { group in
                for _ in 0..<12 { group.addTask { await failure { _ = try await store.info(for: key) } } }
                for await error in group { #expect(error?.isTransient == true) }
            }
            #expect(store.caller.circuitState == .closed)
            while try await chunks.next() != nil {}
            let info = try await store.info(for: key)
            #expect(info != nil)
        }
    }

    @Test(
        "status 404 without the word of S3 is not the loss of a blob, nor its deletion",
        arguments: ["", "<html>no such page</html>", "<Error><Code>Other</Code></Error>"])
    func foreignAbsence(text: String) async throws {
        try await s3.withStore { store in
            let key = try await save(.random(count: 1_000, seed: 4), in: store)
            s3.refuse { _, _ in ScriptedAnswer(status: 404, body: ByteBuffer(string: text)) }
            let open = await failure { _ = try await store.open(key, range: nil) }
            let removal = await failure { try await store.remove(key) }
            #expect(open != nil)
            #expect(removal != nil)
        }
    }

    @Test("a body that trickles is left", .timeLimit(.minutes(1)))
    func trickle() async {
        let drops = AsyncStream(unfolding: {
            try? await Task.sleep(for: .milliseconds(10))
            return ByteBuffer(string: " ")
        })
        let answer = S3Answer(status: 200, headers: [:], body: .stream(drops))
        let drained = await failure { try await answer.drain(within: .milliseconds(50)) }
        #expect(drained?.isTransient == true)
    }

    @Test("a store whose making took effect before its answer was lost is new", arguments: [true, false])
    func lostIdentity(hasConditions: Bool) async throws {
        let tally = Tally()
        s3.lie { request, count, honest in
            if !hasConditions, honest.status == 412 { return .error(501, "NotImplemented") }
            guard request.operation == "PutObject", request.path.hasSuffix("/store.id"), honest.status == 200 else {
                return honest
            }
            tally.increment()
            return tally.value == 1 ? ScriptedAnswer(isSilent: true) : honest
        }
        try await s3.withStore { store in #expect(store.isNew) }
    }

    @Test("a store that somebody else made in the same moment, where the later one wins, is theirs")
    func overwrittenIdentity() async throws {
        let other = "\(Identifier<S3BlobStore>.random())"
        s3.lie { [s3] request, count, honest in
            guard request.operation == "PutObject" else { return honest }
            if honest.status == 412 { return .error(501, "NotImplemented") }
            s3.replace("store.id", ByteBuffer(string: "\(other)\n"))
            return honest
        }
        try await s3.withStore { store in
            #expect(!store.isNew)
            #expect(store.storeID == other)
        }
    }

    @Test("a bucket that began to keep versions meanwhile is noticed when many are deleted")
    func hiddenByDeletion() async throws {
        try await s3.withStore { store in
            let keys = [1, 2].map { BlobKey(space: .shared, digest: .random(), generation: $0) }
            s3.refuse { request, count in
                switch request.operation {
                case "DeleteObjects" where count == 1:
                    .xml(
                        "<DeleteResult><Deleted><Key>\(keys[0].name)</Key><DeleteMarker>true</DeleteMarker></Deleted>"
                            + "<Deleted><Key>\(keys[1].name)</Key></Deleted></DeleteResult>")
                case "ListObjectVersions":
                    .xml(
                        "<ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>"
                            + "\(request.query["prefix"] ?? "")</Key><VersionId>7</VersionId></Version>"
                            + "</ListVersionsResult>")
                default: nil
                }
            }
            try await store.remove(keys)
            #expect(s3.count("ListObjectVersions") == 2)
            #expect(s3.count("DeleteObjects") == 2)
        }
    }

    @Test("a clock that is wrong is told by an answer without a body too")
    func skewedHead() async throws {
        try await s3.withStore { store in
            let key = try await save(.random(count: 1_000, seed: 5), in: store)
            s3.refuse { _, _ in ScriptedAnswer(status: 403, headers: [("Date", "Sun, 06 Nov 1994 08:49:37 GMT")]) }
            let error = await failure { _ = try await store.info(for: key) }
            #expect((error?.cause as? S3Failure)?.kind == .skewed)
            s3.refuse { _, _ in ScriptedAnswer(status: 403) }
            let denied = await failure { _ = try await store.info(for: key) }
            #expect((denied?.cause as? S3Failure)?.kind == .denied)
        }
    }

    @Test("another region is no bucket that keeps no versions")
    func otherRegion() async throws {
        s3.refuse { request, _ in
            request.operation == "GetBucketVersioning" ? .error(400, "AuthorizationHeaderMalformed") : nil
        }
        let error = await failure { try await s3.withStore { _ in } }
        #expect(error?.code == .wrongStore)
        #expect(s3.count("ListObjectsV2") == 0)
    }

    @Test(
        "a bucket that is not there may be a host that the service does not know to be its own",
        arguments: [true, false])
    func unknownHost(usesPathStyle: Bool) throws {
        var configuration = S3Configuration(
            endpoint: nil, bucket: "bucket", credentials: S3Credentials(accessKey: "key", secretKey: "secret"))
        configuration.usesPathStyle = usesPathStyle
        let failure = S3Failure(
            operation: "GetBucketVersioning", status: 404, code: "NoSuchBucket", message: nil, requestID: nil)
        let error = S3StoreFacts.refusal(failure.storageError(), try S3Bucket(configuration))
        #expect(error.code == .wrongStore)
        #expect(error.message.contains("s3.path-style=true") == !usesPathStyle)
    }

    @Test("the words of the service stay in one line, and short")
    func words() {
        let failure = S3Failure(
            operation: "GetObject", status: 408, code: "A\r\nB",
            message: "x\u{1B}[31m\u{202E}\u{2028}ü" + String(repeating: "y", count: 9_999),
            requestID: "1\0")
        #expect(failure.code == "A??B")
        #expect(failure.message?.hasPrefix("x?[31m??üyyy") == true)
        #expect(failure.message?.unicodeScalars.count == 513)
        #expect(failure.requestID == "1?")
    }

    @Test("a server that found a request too slow may be asked again")
    func slowRequest() {
        let failure = S3Failure(operation: "PutObject", status: 408, code: nil, message: nil, requestID: nil)
        #expect(failure.storageError().isTransient)
    }

    @Test("no service sends clients away for longer than minutes")
    func longPause() {
        let answer = S3Answer(status: 503, headers: ["Retry-After": "86400"], body: .init())
        #expect(answer.retryAfter == .seconds(300))
    }
}
