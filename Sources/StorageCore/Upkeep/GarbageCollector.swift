import Logging
import Metrics
public import ServiceLifecycle

/// Deletes the bytes that nothing refers to any more; any number of nodes may run it at once, without a leader.
///
/// A blob is deleted only after a durable transaction has authorised it, and its key is never written again afterwards: a
/// deletion that lands late, even from a node that was stopped for hours, hits a dead key.
public struct GarbageCollector: Service {
    /// What a collection did.
    public struct Report: Hashable, Sendable {
        /// The number of blobs whose bytes were deleted.
        public var blobs = 0
        /// The number of bytes that this gave back.
        public var bytes: Int64 = 0
        /// The number of uploads into the blob store that nobody would have ended.
        public var uploads = 0
    }

    private let metadata: any MetadataStore
    private let blobs: any BlobStore
    private let grace: Duration
    private let interval: Duration
    private let logger = Logger(label: "storage.collector")
    private let outage: OutageLog
    private let sweepOutage: OutageLog
    private let meter: UpkeepMeter
    private let collectedBlobs = Counter(label: "storage_collected_blobs_total")
    private let collectedBytes = Counter(label: "storage_collected_bytes_total")

    /// Makes a collector.
    ///
    /// - Parameters:
    ///   - metadata: Says what may be deleted.
    ///   - blobs: Where it is deleted.
    ///   - grace: How long released bytes stay for readers that are under way; not what makes it safe.
    ///   - interval: The pause between two collections.
    public init(metadata: any MetadataStore, blobs: any BlobStore, grace: Duration, interval: Duration) {
        self.metadata = metadata
        self.blobs = blobs
        self.grace = grace
        self.interval = interval
        meter = UpkeepMeter("collector", every: interval)
        outage = OutageLog(logger, needed: "the database or the store of the bytes")
        sweepOutage = OutageLog(logger, needed: "the store of the bytes")
    }

    /// Collects again and again until the service shuts down.
    public func run() async throws {
        await repeating(every: interval) {
            do {
                var report = try await collectBlobs(grace: grace)
                outage.succeeded()
                meter.succeeded()
                report.uploads = await sweepUploads()
                if report.blobs > 0 || report.uploads > 0 {
                    logger.info(
                        "collected",
                        metadata: [
                            "blobs": "\(report.blobs)", "bytes": "\(report.bytes)", "uploads": "\(report.uploads)",
                        ])
                }
            } catch {
                meter.failed()
                outage.failed("the collection failed", error)
            }
        }
    }

    /// Deletes everything that may be deleted now, and gives back what uploads into the blob store left there more than a day ago.
    /// What is released meanwhile is left to the next pass: on a busy node there would always be something more, and this one would
    /// never end.
    ///
    /// - Parameter grace: Another grace period than the collector's own, for this time; with none at all, what uploads under way have
    ///   in the blob store goes too, and they begin anew.
    /// - Throws: Also, when everything else is done, what giving back uploads failed with.
    public func collect(grace: Duration? = nil) async throws -> Report {
        var report = try await collectBlobs(grace: grace)
        if !Task.isCancelled { report.uploads = try await abandonUploads(grace: grace ?? self.grace) }
        return report
    }

    private func collectBlobs(grace: Duration?) async throws -> Report {
        var report = Report()
        let start = ContinuousClock.now
        var elapsed = Duration.zero
        while !Task.isCancelled {
            let doomed = try await metadata.doom(
                grace: ((grace ?? self.grace) + elapsed).wholeMicroseconds, retry: Self.retry, limit: Self.batch)
            guard !doomed.isEmpty else { break }
            let gone = try await remove(doomed)
            try await metadata.settle(.gone(gone.map(\.id)))
            report.blobs += gone.count
            let bytes = gone.reduce(0) { $0 + $1.size }
            report.bytes += bytes
            collectedBlobs.increment(by: gone.count)
            collectedBytes.increment(by: bytes)
            elapsed = ContinuousClock.now - start
        }
        return report
    }

    private func abandonUploads(grace: Duration) async throws -> Int {
        try await blobs.abandonUploads(olderThan: grace > .zero ? .seconds(86_400) : .zero)
    }

    /// A blob store that does not let its uploads be listed is told of once, and has everything else collected as ever.
    private func sweepUploads() async -> Int {
        guard !Task.isCancelled else { return 0 }
        do {
            let count = try await abandonUploads(grace: grace)
            sweepOutage.succeeded()
            return count
        } catch {
            if !Task.isCancelled { sweepOutage.failedOnce("uploads into the blob store were not swept", error) }
            return 0
        }
    }

    /// Deletes the bytes of doomed blobs: all at once, or one by one when that fails, so that one that cannot be deleted holds up no
    /// other. What is left stays doomed and is tried again later.
    ///
    /// - Throws: when the store does not answer at all: asking it once more for each blob would be of no use.
    private func remove(_ doomed: [BlobRecord]) async throws -> [BlobRecord] {
        do {
            try await blobs.remove(doomed.map(\.key))
            return doomed
        } catch let error as StorageError where error.isTransient {
            try await blobs.ping()
        } catch {
            // One of them, most likely.
        }
        var gone: [BlobRecord] = []
        for blob in doomed {
            do {
                try await blobs.remove(blob.key)
                gone.append(blob)
            } catch {
                logger.error("a blob was not deleted", metadata: ["key": "\(blob.key)", "error": "\(error)"])
            }
        }
        return gone
    }

    private static let batch = 100
    private static let retry: Int64 = 5 * 60 * 1_000_000
}

/// Runs a job, pauses, and runs it again, until the task is cancelled or its service group shuts down gracefully.
func repeating(every interval: Duration, _ job: @escaping @Sendable () async -> Void) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            await job()
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }
}
