import Logging
import NIOCore
import NIOPosix
import StorageCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageS3

@Suite("Opening a bucket that is not as it should be")
struct OpeningTests {
    private let s3 = ScriptedS3()

    @Test(
        "a bucket that takes nothing, for want of room or of rights, is opened all the same",
        arguments: [
            (403, "QuotaExceeded"), (507, "InsufficientStorage"), (403, "AccessDenied"), (501, "NotImplemented"),
        ])
    func fullBucket(status: Int, code: String) async throws {
        try await s3.withStore { first in
            #expect(first.facts.hasConditionalPut)
            s3.refuse { request, _ in request.operation == "PutObject" ? .error(status, code) : nil }
            let place = try await S3Place(first.configuration)
            let store = try await place.open()
            #expect(store.storeID == first.storeID)
            #expect(!store.facts.hasConditionalPut)
            try await store.remove(BlobKey(space: .shared, digest: .random()))
        }
    }

    @Test(
        "a place that cannot become a store is none",
        arguments: [(507, nil), (403, .wrongStore)] as [(Int, StorageError.Code?)])
    func fullPlace(status: Int, code: StorageError.Code?) async throws {
        try await s3.withBucket { configuration in
            s3.refuse { request, _ in request.operation == "PutObject" ? ScriptedAnswer(status: status) : nil }
            let place = try await S3Place(configuration)
            let error = await #expect(throws: StorageError.self) { _ = try await place.open() }
            #expect(error?.code == code ?? .insufficientStorage)
        }
    }

    @Test("a token that has run out is no answer to the question of what a service understands")
    func expiredToken() async throws {
        try await s3.withBucket { configuration in
            s3.refuse { request, _ in
                request.operation == "GetBucketVersioning" ? .error(400, "ExpiredToken") : nil
            }
            let place = try await S3Place(configuration)
            let error = await #expect(throws: StorageError.self) { _ = try await place.open() }
            #expect(error?.code == .wrongStore)
        }
    }

    @Test("a store is opened without writing anything where nothing is to be learned")
    func readsOnly() async throws {
        try await s3.withStore { first in
            let place = try await S3Place(first.configuration)
            let store = try await place.open { $0.writesProbe = false }
            #expect(s3.count("PutObject") == 0)
            let staged = try await store.stage(ByteStream(ByteBuffer(string: "bytes")))
            let key = BlobKey(space: .shared, digest: staged.digest)
            for _ in 0..<2 { try await store.publish(staged, as: key) }
            await store.discard(staged)
            #expect(s3.count("PutObject") == 1)
        }
    }

    @Test("the identity is written once, also where the service does not care what is there")
    func identityIsKept() async throws {
        let writes = Tally()
        s3.ignoreConditions()
        s3.lie { request, _, honest in
            if request.operation == "PutObject", request.path.hasSuffix("/store.id") { writes.increment() }
            return honest
        }
        try await s3.withStore { first in
            #expect(first.isNew)
            #expect(!first.facts.hasConditionalPut)
            let place = try await S3Place(first.configuration)
            for _ in 0..<3 {
                let later = try await place.open()
                #expect(later.storeID == first.storeID)
                #expect(!later.isNew)
            }
        }
        #expect(writes.value == 1)
    }

    @Test("an identity that is overwritten a while later counts, where the service does not care what is there")
    func laterIdentity() async throws {
        let other = "\(Identifier<S3BlobStore>.random())"
        s3.ignoreConditions()
        s3.lie { [s3] request, _, honest in
            guard request.operation == "PutObject", request.path.hasSuffix("/store.id") else { return honest }
            MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .milliseconds(300)) {
                s3.replace("store.id", ByteBuffer(string: "\(other)\n"))
            }
            return honest
        }
        try await s3.withStore { store in
            #expect(store.storeID == other)
            #expect(!store.isNew)
        }
    }

    @Test("opening asks once where somebody else asks again")
    func openingOnce() async throws {
        try await s3.withStore { first in
            let place = try await S3Place(first.configuration)
            s3.refuse { request, _ in request.operation == "GetBucketVersioning" ? .error(503, "SlowDown") : nil }
            for count in 1...2 {
                let error = await #expect(throws: StorageError.self) {
                    _ = try await place.open { $0.retryPolicy = .once }
                }
                #expect(error?.isTransient == true)
                #expect(s3.count("GetBucketVersioning") == count)
            }
        }
    }

    /// Notes what is logged.
    private final class Log: Sendable {
        private let entries = Mutex<[Logger.Level]>([])

        var levels: [Logger.Level] { entries.withLock { $0 } }

        func note(_ level: Logger.Level) { entries.withLock { $0.append(level) } }
    }

    private struct LogHandler: Logging.LogHandler {
        let log: Log
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.note(event.level) }
    }

    @Test("a refusal that somebody can live with is no alarm, any other is one")
    func alarms() async throws {
        let log = Log()
        let logger = Logger(label: "test") { _ in LogHandler(log: log) }
        try await s3.withBucket { configuration in
            s3.refuse { _, _ in .error(403, "AccessDenied") }
            let bucket = try S3Bucket(configuration, alarms: S3Alarms(logger))
            _ = try? await bucket.keepsVersions()
            _ = try? await bucket.uploads(below: "store/", after: nil)
            _ = try? await bucket.put("store.probe", .none, onlyIfAbsent: true, isDispensable: true)
            #expect(log.levels == [])
            for _ in 0..<2 { _ = try? await bucket.put("store/x", .none, onlyIfAbsent: false) }
            #expect(log.levels == [.critical])
        }
    }
}
