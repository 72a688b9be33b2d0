import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageS3

@Suite("What a server does that lies, breaks off or has too much to do")
struct LyingServerTests {
    private let s3 = ScriptedS3()

    /// Stages and publishes bytes.
    @discardableResult
    private func save(_ bytes: ByteBuffer, in store: S3BlobStore) async throws -> BlobKey {
        let staged = try await store.stage(ByteStream(bytes))
        let key = BlobKey(space: .shared, digest: staged.digest)
        do {
            try await store.publish(staged, as: key)
        } catch {
            await store.discard(staged)
            throw error
        }
        await store.discard(staged)
        return key
    }

    private func read(_ key: BlobKey, in store: S3BlobStore) async throws -> ByteBuffer {
        let content = try #require(try await store.open(key, range: 0..<Int64.max))
        return try await content.stream.collect(upTo: 64 << 20)
    }

    private func failure(_ body: () async throws -> Void) async -> StorageError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test("a small upload is two requests")
    func smallUpload() async throws {
        try await s3.withStore { store in
            try await save(.random(count: 1_000, seed: 1), in: store)
            #expect(s3.count("PutObject") == 1)
            #expect(s3.count("HeadObject") == 1)
        }
    }

    @Test(
        "a small upload is one request where its entity tag is the MD5 of its bytes, and looked at where it is another's",
        arguments: [(false, 0), (true, 2)])
    func smallUploadWithDigest(isOthers: Bool, looks: Int) async throws {
        try await s3.withStore { store in
            s3.tagByDigest()
            s3.lie { request, _, honest in
                // The tag of no bytes at all.
                request.operation == "PutObject" && isOthers
                    ? ScriptedAnswer(headers: [("ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"")]) : honest
            }
            let bytes = ByteBuffer.random(count: 1_000, seed: 1)
            let key = try await save(bytes, in: store)
            #expect(s3.count("PutObject") == 1)
            #expect(s3.count("HeadObject") == looks)
            let read = try await read(key, in: store)
            #expect(read == bytes)
        }
    }

    @Test("the entity tag that is expected is the MD5 of the bytes (RFC 1321, A.5)")
    func expectedEntityTag() {
        let body = S3Body.bytes(ByteBuffer(string: "message digest"), .zero)
        #expect(body.entityTag == "\"f96b697d7cb7938d525a2f31aaf161d0\"")
    }

    @Test("errors that pass are answered by another attempt", arguments: [500, 502, 503, 504, 429])
    func passingErrors(status: Int) async throws {
        try await s3.withStore { store in
            s3.refuse { request, count in
                request.operation == "PutObject" && count <= 2 ? .error(status, "SlowDown") : nil
            }
            let bytes = ByteBuffer.random(count: 1_000, seed: 2)
            let key = try await save(bytes, in: store)
            let read = try await read(key, in: store)
            #expect(read == bytes)
            #expect(s3.count("PutObject") == 3)
        }
    }

    @Test("an error that stays ends as one that may pass, with what the server asks for")
    func stayingErrors() async throws {
        try await s3.withStore {
            $0.retryPolicy.deadline = .seconds(1)
        } _: { store in
            s3.refuse { request, _ in
                request.operation == "PutObject" ? .error(503, "SlowDown", headers: [("Retry-After", "7")]) : nil
            }
            let error = await failure { try await save(.random(count: 1_000, seed: 3), in: store) }
            #expect(error?.code == .unavailable)
            #expect(error?.isTransient == true)
            #expect(error?.retryAfter == .seconds(7))
        }
    }

    @Test(
        "credentials that are refused are not tried again, and are a mistake in the settings at the start",
        arguments: [
            (403, "InvalidAccessKeyId", .accessKey), (403, "AccessDenied", .bucket),
            (403, "ExpiredToken", .sessionToken),
            (400, "ExpiredToken", .sessionToken), (400, "InvalidToken", .sessionToken),
            (400, "TokenRefreshRequired", .sessionToken),
        ] as [(Int, String, S3Configuration.Problem.Field)])
    func refusedCredentials(status: Int, code: String, field: S3Configuration.Problem.Field) async throws {
        try await s3.withStore { store in
            s3.refuse { _, _ in .error(status, code) }
            let error = await failure { try await save(.random(count: 1_000, seed: 4), in: store) }
            #expect(error?.code == .unavailable)
            #expect(error?.isTransient == false)
            #expect(s3.count("PutObject") == 1)
            let place = try await S3Place(store.configuration)
            let refusal = await failure { _ = try await place.open() }
            #expect(refusal?.code == .wrongStore)
            #expect(refusal.flatMap { S3Configuration.Problem.Field(refusedBy: $0) } == field)
        }
    }

    @Test("a bucket that is in another region says in which", arguments: [true, false])
    func otherRegion(inHeader: Bool) async throws {
        try await s3.withBucket { configuration in
            let body =
                inHeader
                ? "<Error><Code>PermanentRedirect</Code></Error>"
                : "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>"
            s3.refuse { _, _ in
                ScriptedAnswer(
                    status: inHeader ? 301 : 400, headers: inHeader ? [("x-amz-bucket-region", "eu-central-1")] : [],
                    body: ByteBuffer(string: body))
            }
            let place = try await S3Place(configuration)
            let refusal = await failure { _ = try await place.open() }
            #expect(refusal?.code == .wrongStore)
            #expect(refusal?.message.contains("The bucket is in eu-central-1") == true)
            #expect(refusal.flatMap { S3Configuration.Problem.Field(refusedBy: $0) } == .region)
        }
    }

    @Test("a clock that is wrong is an alarm, not a storm of requests")
    func skewedClock() async throws {
        try await s3.withStore { store in
            s3.refuse { _, _ in
                .error(403, "RequestTimeTooSkewed", headers: [("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])
            }
            for _ in 0..<20 {
                let error = await failure { try await save(.random(count: 1_000, seed: 5), in: store) }
                #expect(error?.code == .unavailable)
                #expect(error?.isTransient == false)
            }
            #expect(s3.count("PutObject") == 20)
        }
    }

    @Test("a redirect is followed nowhere", arguments: [301, 302, 303, 307, 308])
    func redirects(status: Int) async throws {
        let asked = Tally()
        let elsewhere = try await ScriptedServer { _ in
            asked.increment()
            return ScriptedAnswer()
        }
        try await s3.withStore { store in
            let key = try await save(.random(count: 1_000, seed: 6), in: store)
            s3.lie { _, _, _ in
                .error(
                    status, "TemporaryRedirect",
                    headers: [("Location", "http://127.0.0.1:\(elsewhere.port)/latest/meta-data")])
            }
            let read = await failure { _ = try await store.open(key, range: nil) }
            let put = await failure { try await save(.random(count: 1_001, seed: 7), in: store) }
            #expect(read?.code == .unavailable)
            #expect(put?.code == .unavailable)
        }
        #expect(asked.value == 0)
    }

    @Test("an upload that took effect before its answer was lost is found, and not stored twice")
    func lostAnswer() async throws {
        try await s3.withStore { store in
            s3.lie { request, count, honest in
                request.operation == "PutObject" && count == 1 ? ScriptedAnswer(isSilent: true) : honest
            }
            try await save(.random(count: 1_000, seed: 8), in: store)
            #expect(s3.count("PutObject") == 1)
            #expect(s3.count("HeadObject") == 1)
        }
    }

    @Test("a stored object must have the entity tag that it was given, or one was made up")
    func wrongEntityTag() async throws {
        try await s3.withStore { store in
            s3.lie { request, _, honest in
                request.operation == "PutObject" && honest.status == 200
                    ? ScriptedAnswer(headers: [("ETag", "\"made-up\"")]) : honest
            }
            // The second attempt finds the object with the right size, which the signed digest vouches for.
            try await save(.random(count: 1_000, seed: 9), in: store)
            #expect(s3.count("PutObject") == 1)
            #expect(s3.count("HeadObject") == 2)
        }
    }

    @Test("an object of another size than was sent does not count as stored")
    func wrongSize() async throws {
        try await s3.withStore { store in
            s3.lie { request, _, honest in
                guard request.operation == "HeadObject", honest.status == 200 else { return honest }
                var answer = honest
                answer.announced = 999
                return answer
            }
            let error = await failure { try await save(.random(count: 1_000, seed: 10), in: store) }
            #expect(error?.code == .blobMismatch)
        }
    }

    @Test("a bucket that is gone is an error, not the loss of a blob")
    func goneBucket() async throws {
        try await s3.withStore { store in
            let key = try await save(.random(count: 1_000, seed: 11), in: store)
            s3.lie { request, _, _ in
                request.method == "HEAD" ? ScriptedAnswer(status: 404) : .error(404, "NoSuchBucket")
            }
            let info = await failure { _ = try await store.info(for: key) }
            let open = await failure { _ = try await store.open(key, range: nil) }
            let removal = await failure { try await store.remove(key) }
            let ping = await failure { try await store.ping() }
            for error in [info, open, removal, ping] { #expect(error?.code == .unavailable) }
        }
    }

    @Test("a list without end is given up, however long it is")
    func endlessList() async throws {
        try await s3.withStore {
            $0.retryPolicy.maximumAttempts = 1
            $0.idleTimeout = .seconds(60)
        } _: { store in
            s3.lie { request, _, honest in
                guard request.operation == "ListObjectsV2" else { return honest }
                let entry = "<Contents><Key>store/ab</Key></Contents>"
                return ScriptedAnswer(
                    body: ByteBuffer(string: String(repeating: entry, count: 2_000)), isEndless: true,
                    opening: ByteBuffer(string: "<ListBucketResult>"))
            }
            let error = await failure { _ = try await store.keys(after: nil, limit: 10) }
            #expect(error?.code == .unavailable)
            // What is read, and what the sockets hold.
            #expect(s3.bytesSent < 64 << 20)
        }
    }

    @Test("a list that goes in circles is given up")
    func circularList() async throws {
        try await s3.withStore { store in
            s3.lie { request, _, honest in
                guard request.operation == "ListObjectsV2" else { return honest }
                return .xml(
                    "<ListBucketResult><Contents><Key>store/ab/x</Key></Contents><IsTruncated>true</IsTruncated>"
                        + "</ListBucketResult>")
            }
            let error = await failure { _ = try await store.strays(limit: 100) }
            #expect(error?.code == .unavailable)
        }
    }

    /// A list of uploads that has no end: the nth page of it.
    private func uploads(_ page: Int, entries: Int, marker: String) -> ScriptedAnswer {
        let uploads = (0..<entries).map { "<Upload><Key>store/\(page)-\($0)</Key><UploadId>1</UploadId></Upload>" }
        return .xml(
            "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>\(marker)\(uploads.joined())"
                + "</ListMultipartUploadsResult>")
    }

    @Test(
        "a list of uploads that does not go on is given up",
        .timeLimit(.minutes(1)), arguments: ["circle", "stay", "empty", "unmarked"])
    func endlessUploads(kind: String) async throws {
        try await s3.withStore {
            $0.retryPolicy.maximumAttempts = 1
        } _: { store in
            s3.lie { request, count, honest in
                guard request.operation == "ListMultipartUploads" else { return honest }
                let marker = { (number: Int) in
                    "<NextKeyMarker>store/\(number)</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>"
                }
                return switch kind {
                case "circle": uploads(count, entries: 1, marker: marker(count % 3))
                case "stay": uploads(count, entries: 1, marker: marker(0))
                case "empty": uploads(count, entries: 0, marker: marker(count))
                default: uploads(count, entries: 1, marker: "")
                }
            }
            let error = await failure { _ = try await store.abandonUploads(olderThan: .zero) }
            #expect(error?.cause is S3Nonsense)
            #expect(s3.count("ListMultipartUploads") <= 4)
        }
    }

    @Test(
        "a list of versions that does not go on is given up",
        .timeLimit(.minutes(1)), arguments: ["stay", "empty", "unmarked"])
    func endlessVersions(kind: String) async throws {
        try await s3.withStore {
            $0.retryPolicy.maximumAttempts = 1
        } _: { store in
            s3.lie { request, count, honest in
                guard request.operation == "ListObjectVersions" else { return honest }
                let key = request.query["prefix"] ?? ""
                let version = "<Version><Key>\(key)</Key><VersionId>\(kind == "stay" ? 1 : count)</VersionId></Version>"
                let marker =
                    "<NextKeyMarker>\(key)</NextKeyMarker><NextVersionIdMarker>\(count)</NextVersionIdMarker>"
                return .xml(
                    "<ListVersionsResult><IsTruncated>true</IsTruncated>\(kind == "unmarked" ? "" : marker)"
                        + "\(kind == "empty" ? "" : version)</ListVersionsResult>")
            }
            let error = await failure { _ = try await store.bucket.versions(of: "store/x") }
            #expect(error?.cause is S3Nonsense)
            #expect(s3.count("ListObjectVersions") <= 2)
        }
    }

    @Test("a deletion of many that says nothing of one of them has not deleted it")
    func unsaidDeletion() async throws {
        try await s3.withStore { store in
            let keys = (1...3).map { BlobKey(space: .shared, digest: .random(), generation: $0) }
            s3.lie { request, count, honest in
                guard request.operation == "DeleteObjects", count == 1 else { return honest }
                return .xml("<DeleteResult><Deleted><Key>\(keys[0].name)</Key></Deleted></DeleteResult>")
            }
            try await store.remove(keys)
            #expect(s3.count("DeleteObjects") == 2)
            s3.lie { request, _, honest in
                request.operation == "DeleteObjects" ? .xml("<DeleteResult/>") : honest
            }
            let error = await failure { try await store.remove(keys) }
            #expect(error?.cause is S3Nonsense)
        }
    }
}
