import Logging
import Synchronization

/// Tells operators once that the cache does not work, however often that is met, until it works again.
final class HotLog: Sendable {
    private let logger = Logger(label: "storage.hot")
    private let isFailing = Atomic(false)

    func failed(_ what: String, _ error: any Error) {
        let isKnown = isFailing.exchange(true, ordering: .relaxed)
        logger.log(level: isKnown ? .debug : .warning, "\(what)", metadata: ["error": "\(error)"])
    }

    func succeeded() {
        isFailing.store(false, ordering: .relaxed)
    }
}
