/// Compares what the metadata say with what the blob store has, beside any number of running nodes; changes nothing.
///
/// Every live blob must be there with its size, every blob that a file refers to must be live, every live blob must be referred to or
/// on the collector's list, the counts of every container must be exact, what lookups tell of a file must be what its current revision
/// says, nothing may wait for upkeep longer than its limit, and
/// nothing may lie in the store that no row knows. Where the data are read too, every live blob must have its digest.
///
/// Whatever seems wrong is looked at a second time before it is told, because uploads and collectors go on meanwhile.
public struct Fsck: Sendable {
    /// For how long something may wait for upkeep before that is a finding, in microseconds of the database's clock.
    public enum Limit {
        /// After the end of its claim, until the collector takes a pending blob: a day, many times the pause between collections.
        public static let pending: Int64 = day
        /// After its deletion was authorised, until a doomed blob is gone: a day, in which the collector tries again and again.
        public static let doomed: Int64 = day
        /// Without a sign of life, until the sweeper gives back what an upload holds: a day; it is due after two hours at most.
        public static let silence: Int64 = day
        /// After a blob was collected, until bytes under its key are too many: an upload that claimed the blob before may still write
        /// it, and learns from its commit that this was in vain.
        public static let gone: Int64 = UploadClaim.lease

        private static let day: Int64 = 86_400 * 1_000_000
    }

    /// Of the things in the store that are no blobs, as many are told at most.
    public static let strayLimit = 1_000

    /// How much was compared.
    public struct Progress: Hashable, Sendable {
        /// Blobs in all states.
        public var blobs = 0
        /// Bytes of those that are live.
        public var bytes: Int64 = 0
        /// Containers.
        public var containers = 0
        /// Keys that the store has.
        public var keys = 0
        /// Bytes that were read and have, or have not, their digest; those of a second look are not counted.
        public var readBytes: Int64 = 0
    }

    /// What a whole comparison gave.
    public struct Report: Hashable, Sendable {
        /// How much was compared.
        public var progress = Progress()
        /// How many findings of each kind there are; a kind without any is left out.
        public var findings: [Finding.Kind: Int] = [:]

        /// Whether nothing was found.
        public var isClean: Bool { findings.isEmpty }
    }

    private static let page = 200

    let metadata: any MetadataStore
    let blobs: any BlobStore
    let readsData: Bool

    /// Makes a comparison of the two halves of a store.
    ///
    /// - Parameters:
    ///   - metadata: Says what there should be.
    ///   - blobs: Has what there is.
    ///   - readsData: Whether every live blob is read as a whole and compared with its digest.
    public init(metadata: any MetadataStore, blobs: any BlobStore, readsData: Bool = false) {
        self.metadata = metadata
        self.blobs = blobs
        self.readsData = readsData
    }

    /// Compares everything once.
    ///
    /// - Parameters:
    ///   - onRead: Called with the number of bytes whenever some were read, on any thread.
    ///   - onProgress: Called after every page.
    ///   - onFinding: Called for each finding as it is made.
    /// - Throws: What the functions throw, or either half when it cannot be asked: a comparison that stops half-way is no clean one.
    public func run(
        onRead: @escaping @Sendable (_ bytes: Int) -> Void = { _ in },
        onProgress: (Progress) throws -> Void = { _ in }, onFinding: (Finding) throws -> Void
    ) async throws -> Report {
        var report = Report()
        func note(_ findings: [Finding]) throws {
            for finding in findings {
                report.findings[finding.kind, default: 0] += 1
                try onFinding(finding)
            }
            try onProgress(report.progress)
        }

        var lastBlob: BlobID?
        while true {
            try Task.checkCancellation()
            let page = try await metadata.inspectBlobs(.page(after: lastBlob, limit: Self.page))
            guard let last = page.last else { break }
            lastBlob = last.blob.id
            let (findings, readBytes) = try await examine(page, onRead: onRead)
            report.progress.blobs += page.count
            report.progress.bytes += page.reduce(0) { $0 + ($1.blob.state == .live ? $1.blob.size : 0) }
            report.progress.readBytes += readBytes
            try note(findings)
        }

        var lastContainer: ContainerID?
        while true {
            try Task.checkCancellation()
            let page = try await metadata.inspectContainers(after: lastContainer, limit: 1)
            guard let container = page.last else { break }
            lastContainer = container.id
            report.progress.containers += 1
            try note(Self.findings(in: container))
        }

        var lastKey: BlobKey?
        while true {
            try Task.checkCancellation()
            let page = try await blobs.keys(after: lastKey, limit: BlobSelection.keyLimit)
            guard let last = page.last else { break }
            lastKey = last
            report.progress.keys += page.count
            try note(try await unknown(among: page))
        }
        try note(try await blobs.strays(limit: Self.strayLimit).map(Self.finding(of:)))
        return report
    }
}
