import StorageCore
import Synchronization

/// How far a copy of blobs is: on the last line of a terminal; what could not be copied on lines of its own.
final class BlobCopyDisplay: Sendable {
    private let isJSON: Bool
    private let bar = Mutex<ProgressBar?>(nil)

    init(isJSON: Bool) {
        self.isJSON = isJSON
    }

    /// Whether somebody would see how far it is, so that what there is to do is worth counting.
    var isBarWanted: Bool { ProgressBar.isWanted }

    /// There is so much to do; without this no bar is drawn.
    func begin(_ total: BlobCopy.Total) {
        let total = ProgressBar.Total(items: total.blobs, bytes: total.bytes, noun: "blobs")
        bar.withLock { $0 = ProgressBar(total: total, descriptor: 2) }
    }

    func show(_ progress: BlobCopy.Progress) {
        bar.withLock { $0 }?.show(progress.blobs, bytes: progress.bytes)
    }

    func show(_ failure: BlobCopy.Failure) {
        let line = FailureLine(failure)
        // An output that is gone is found at the end, when the numbers are written.
        try? interrupted { try StandardOutput.write(line: isJSON ? JSONLine.text(of: line) : line.text) }
    }

    /// Takes the bar away.
    func finish() {
        bar.withLock { $0 }?.finish()
    }

    private func interrupted(_ body: () throws -> Void) throws {
        guard let bar = bar.withLock({ $0 }) else { return try body() }
        try bar.interrupted(body)
    }

    /// A blob that could not be copied, as it is printed.
    private struct FailureLine: Encodable {
        /// A stable name of the sort.
        let failure: String
        let blob: String
        let detail: String

        init(_ failure: BlobCopy.Failure) {
            self.failure = failure.kind.rawValue
            blob = failure.key.name
            detail = failure.detail
        }

        /// One line for people.
        var text: String { "\(failure): \(blob): \(detail.escapedForDisplay)" }
    }
}
