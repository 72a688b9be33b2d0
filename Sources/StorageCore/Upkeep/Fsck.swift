/// Compares what the metadata say with what the blob store has, beside any number of running nodes; changes nothing.
///
/// Every live blob must be there with its size, every blob that a file refers to must be live, every live blob must be referred to or
/// on the collector's list, and the counts of every container must be exact.
public struct Fsck: Sendable {
    /// Something that is not as it must be.
    public struct Finding: Hashable, Sendable {
        /// The sorts of findings.
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// A live blob has no bytes in the store.
            case missing
            /// A live blob has more or fewer bytes than recorded.
            case wrongSize = "wrong_size"
            /// A file refers to bytes that were found damaged, or that are being deleted.
            case damaged
            /// A live blob that nothing refers to will never be collected.
            case leaked
            /// The bytes of a blob that was collected are still there.
            case leftOver = "left_over"
            /// A container's counts are not those of its files.
            case miscounted
        }

        /// What is wrong.
        public let kind: Kind
        /// What it is wrong with: the name of a blob, or the id of a container.
        public let subject: String
        /// What was expected and what was found, for people.
        public let detail: String
    }

    /// How much was compared.
    public struct Progress: Hashable, Sendable {
        /// Blobs in all states.
        public var blobs = 0
        /// Bytes of those that are live.
        public var bytes: Int64 = 0
        /// Containers.
        public var containers = 0
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
    /// As many questions to the store are under way at once.
    private static let width = 8

    private let metadata: any MetadataStore
    private let blobs: any BlobStore

    /// Makes a comparison of the two halves of a store.
    public init(metadata: any MetadataStore, blobs: any BlobStore) {
        self.metadata = metadata
        self.blobs = blobs
    }

    /// Compares everything once.
    ///
    /// - Parameters:
    ///   - onProgress: Called after every page.
    ///   - onFinding: Called for each finding as it is made.
    /// - Throws: What the functions throw, or either half when it cannot be asked: a comparison that stops half-way is no clean one.
    public func run(
        onProgress: (Progress) throws -> Void = { _ in }, onFinding: (Finding) throws -> Void
    ) async throws -> Report {
        var report = Report()
        func note(_ findings: [Finding]) throws {
            for finding in findings {
                report.findings[finding.kind, default: 0] += 1
                try onFinding(finding)
            }
        }
        var lastBlob: BlobID?
        while true {
            try Task.checkCancellation()
            let page = try await metadata.inspectBlobs(after: lastBlob, limit: Self.page)
            guard let last = page.last else { break }
            try note(try await findings(in: page, after: lastBlob))
            lastBlob = last.blob.id
            report.progress.blobs += page.count
            report.progress.bytes += page.reduce(0) { $0 + ($1.blob.state == .live ? $1.blob.size : 0) }
            try onProgress(report.progress)
        }
        var lastContainer: ContainerID?
        while true {
            try Task.checkCancellation()
            let page = try await metadata.inspectContainers(after: lastContainer, limit: 1)
            guard let container = page.last else { break }
            try note(container.isExact ? [] : [.miscounted(container)])
            lastContainer = container.id
            report.progress.containers += 1
            try onProgress(report.progress)
        }
        return report
    }

    /// The findings in a page of blobs, in its order.
    private func findings(in page: [BlobInspection], after last: BlobID?) async throws -> [Finding] {
        try await withThrowingTaskGroup(of: (Int, Finding?).self) { group in
            var found: [Int: Finding] = [:]
            var next = 0
            func start() {
                guard next < page.count else { return }
                let index = next
                next += 1
                let before = index == 0 ? last : page[index - 1].blob.id
                group.addTask { (index, try await finding(page[index], after: before)) }
            }
            for _ in 0..<Self.width { start() }
            while let (index, finding) = try await group.next() {
                found[index] = finding
                start()
            }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// What is wrong with a blob; asked again when something seems to be, because it may have been collected meanwhile.
    private func finding(_ inspection: BlobInspection, after previous: BlobID?) async throws -> Finding? {
        guard try await self.finding(inspection) != nil else { return nil }
        let again = try await metadata.inspectBlobs(after: previous, limit: 1).first
        guard let again, again.blob.id == inspection.blob.id else { return nil }
        return try await self.finding(again)
    }

    private func finding(_ inspection: BlobInspection) async throws -> Finding? {
        let blob = inspection.blob
        func finding(_ kind: Finding.Kind, _ detail: String) -> Finding {
            Finding(kind: kind, subject: blob.key.name, detail: detail)
        }
        guard blob.state == .live else {
            if inspection.isReferenced {
                return finding(.damaged, "files refer to it, but it is \(blob.state.rawValue)")
            }
            guard blob.state == .gone, let found = try await size(of: blob) else { return nil }
            return finding(.leftOver, "it was collected, but \(found) bytes are there")
        }
        guard let found = try await size(of: blob) else {
            return finding(.missing, "\(blob.size) bytes are recorded, none are there")
        }
        guard found == blob.size else {
            return finding(.wrongSize, "\(blob.size) bytes are recorded, \(found) are there")
        }
        guard inspection.isReferenced || inspection.isReleased else {
            return finding(.leaked, "nothing refers to it, and it is not released")
        }
        return nil
    }

    /// The number of bytes in the store; nil when there is nothing that could be read.
    private func size(of blob: BlobRecord) async throws -> Int64? {
        do {
            return try await blobs.info(for: blob.key)?.size
        } catch let error as StorageError where error.code == .corrupt {
            return nil
        }
    }
}

extension Fsck.Finding {
    fileprivate static func miscounted(_ container: ContainerInspection) -> Self {
        func text(_ usage: Usage, _ reserved: Int64) -> String {
            "\(usage.bytes) bytes in \(usage.files) files, \(usage.revisionBytes) in older revisions, \(reserved) set aside"
        }
        return Self(
            kind: .miscounted, subject: container.id.description,
            detail: "recorded: \(text(container.recorded, container.recordedReservations)); "
                + "counted: \(text(container.counted, container.countedReservations))")
    }
}
