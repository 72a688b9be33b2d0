import Logging
public import StorageCore

/// Keeps blobs as objects of a bucket, of any service that speaks the API of S3.
///
/// # Behavior
///
/// - A blob lies at its key's name below the prefix: `store/ab/<sha256>`, or `containers/<id>/ab/<sha256>`.
/// - A body is taken in whole before its first byte is sent, and is sent with its digest, which the service checks. What was written is
///   looked at before the upload counts as done.
/// - Calls that may succeed later are repeated within the limits of a ``/StorageCore/RetryPolicy``; a dead service fails quickly.
/// - A download that breaks goes on at the byte where it broke, and only in the same object.
/// - Nothing outside the prefix is touched.
public final class S3BlobStore: BlobStore {
    /// The random UUID of the store: the database remembers it, and the two must agree.
    public let storeID: String
    /// Whether the place became a store just now.
    public let isNew: Bool

    let configuration: S3Configuration
    let bucket: S3Bucket
    let caller: ResilientCaller
    let facts: S3StoreFacts
    let spool: S3Spool

    /// Opens the store in a bucket, and makes it one where there is none yet.
    ///
    /// - Parameters:
    ///   - configuration: Where it is.
    ///   - spoolDirectory: A directory on local disk where bodies wait until they are in the bucket; it is made where it is missing, and
    ///     what lies in it is of no use to another process.
    ///   - observer: Is told of repetitions and of what was given up.
    /// - Throws: ``/StorageCore/StorageError/Code/wrongStore`` for what somebody has to put right: credentials that are refused, a bucket
    ///   that is not there, another region, a place that is no store; ``/StorageCore/StorageError/Code/unavailable`` while the service
    ///   cannot be reached.
    public static func open(
        _ configuration: S3Configuration, spoolDirectory: String,
        observer: some ResilienceObserver = LoggingResilienceObserver()
    ) async throws -> S3BlobStore {
        try await open(configuration, observer: observer) {
            var settings = LocalDiskBlobStore.Configuration()
            settings.isSpool = true
            return try await LocalDiskBlobStore.open(directory: spoolDirectory, configuration: settings)
        }
    }

    /// As ``open(_:spoolDirectory:observer:)``, with a spool that is opened once the service has let the store in: a start that is refused
    /// has made nothing.
    package static func open(
        _ configuration: S3Configuration, observer: some ResilienceObserver = LoggingResilienceObserver(),
        spool: () async throws -> LocalDiskBlobStore
    ) async throws -> S3BlobStore {
        let bucket = try S3Bucket(configuration)
        let caller = ResilientCaller(service: "s3", policy: configuration.retryPolicy, observer: observer)
        let facts = try await S3StoreFacts.learn(of: bucket, caller, configuration)
        if configuration.writesProbe {
            Logger(label: "storage.s3").info(
                "the bucket answers",
                metadata: [
                    "conditional_put": facts.hasConditionalPut ? "yes" : "no",
                    "versioning": facts.keepsVersions ? "yes" : "no",
                ])
        }
        return S3BlobStore(configuration, bucket, caller, facts, spool: S3Spool(try await spool()))
    }

    init(
        _ configuration: S3Configuration, _ bucket: S3Bucket, _ caller: ResilientCaller, _ facts: S3StoreFacts,
        spool: S3Spool
    ) {
        self.configuration = configuration
        self.bucket = bucket
        self.caller = caller
        self.facts = facts
        self.spool = spool
        storeID = facts.storeID
        isNew = facts.isNew
    }

    /// Asks the service whether the bucket is there.
    public func ping() async throws {
        try await caller.call("ping", isReplayable: false) { _ in try await bucket.headBucket() }
    }
}
