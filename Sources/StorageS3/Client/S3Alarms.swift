import Logging
import StorageCore
import Synchronization

/// Tells operators, once a minute and not once a request, of what does not pass by itself.
final class S3Alarms: Sendable {
    private let logger: Logger
    private let latest = Mutex<[S3Failure.Kind: ContinuousClock.Instant]>([:])

    private static let pause = Duration.seconds(60)

    init(_ logger: Logger = Logger(label: "storage.s3")) {
        self.logger = logger
    }

    /// Looks at a failure.
    ///
    /// - Parameter serverTime: What the service's clock showed.
    func note(_ failure: S3Failure, serverTime: Timestamp?) {
        switch failure.kind {
        case .skewed:
            guard isDue(.skewed) else { return }
            var metadata: Logger.Metadata = ["error": "\(failure)"]
            if let serverTime {
                let difference = (Timestamp.now().microseconds - serverTime.microseconds) / 1_000_000
                metadata["seconds_ahead"] = "\(difference)"
            }
            logger.critical(
                "this machine's clock is wrong, or the S3 service's is: it refuses all requests", metadata: metadata)
        case .denied, .noBucket, .elsewhere:
            guard isDue(failure.kind) else { return }
            logger.critical("the S3 service refuses requests", metadata: ["error": "\(failure)"])
        case .passing, .full, .unsupported, .other: break
        }
    }

    private func isDue(_ kind: S3Failure.Kind) -> Bool {
        let now = ContinuousClock.now
        return latest.withLock { latest in
            if let last = latest[kind], now - last < Self.pause { return false }
            latest[kind] = now
            return true
        }
    }
}
