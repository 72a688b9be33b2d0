import Logging
import Synchronization

/// Tells of what keeps upkeep from its work: once when it begins, however often it is met, and once when it is over.
///
/// Failures that pass by themselves are such: a database or a store that cannot be reached, or a database that takes no writes while
/// its metadata are moved. All others are told every time.
final class OutageLog: Sendable {
    private let logger: Logger
    private let needed: String
    private let isWaiting = Mutex(false)

    /// - Parameters:
    ///   - logger: Where it is told.
    ///   - needed: What the work needs, such as "the database".
    init(_ logger: Logger, needed: String) {
        self.logger = logger
        self.needed = needed
    }

    /// Notes that something failed.
    ///
    /// - Parameters:
    ///   - what: Says it in the log, such as "a chore failed".
    ///   - metadata: What is logged beside the error.
    func failed(_ what: Logger.Message, _ error: any Error, _ metadata: Logger.Metadata = [:]) {
        let metadata = metadata.merging(["error": "\(error)"]) { $1 }
        guard let storageError = error as? StorageError, storageError.isTransient else {
            logger.error(what, metadata: metadata)
            return
        }
        let isNew = isWaiting.withLock { isWaiting in
            defer { isWaiting = true }
            return !isWaiting
        }
        if isNew { logger.warning("upkeep waits for \(needed)", metadata: metadata) }
    }

    /// Notes that something failed that is told only once, whatever it failed with, until it succeeds.
    func failedOnce(_ what: Logger.Message, _ error: any Error) {
        let isNew = isWaiting.withLock { isWaiting in
            defer { isWaiting = true }
            return !isWaiting
        }
        if isNew { logger.warning(what, metadata: ["error": "\(error)"]) }
    }

    /// Notes that everything succeeded.
    func succeeded() {
        let wasWaiting = isWaiting.withLock { isWaiting in
            defer { isWaiting = false }
            return isWaiting
        }
        if wasWaiting { logger.notice("upkeep goes on") }
    }
}
