import Logging
import Metrics

/// Is told what becomes of calls that do not succeed at once.
public protocol ResilienceObserver: Sendable {
    /// A call is going to be repeated.
    ///
    /// - Parameters:
    ///   - operation: The name of the call.
    ///   - service: The name of the service.
    ///   - attempt: The number of the attempt to come; 2 is the first repetition.
    ///   - delay: How long is waited before it.
    ///   - error: What the attempt before failed with.
    func retried(
        _ operation: String, of service: String, attempt: Int, after delay: Duration, because error: StorageError)

    /// A call that might succeed later is not repeated any more.
    ///
    /// - Parameters:
    ///   - operation: The name of the call.
    ///   - service: The name of the service.
    ///   - attempts: How often it was tried.
    ///   - reason: Why it is not tried again.
    ///   - error: What the last attempt failed with.
    func gaveUp(
        _ operation: String, of service: String, attempts: Int, because reason: ResilientCaller.Surrender,
        error: StorageError)

    /// A service was found dead, or alive again.
    ///
    /// - Parameters:
    ///   - service: The name of the service.
    ///   - state: What its circuit became.
    func circuitChanged(of service: String, to state: CircuitBreaker.State)
}

/// One line in the log for each call that is given up and for each change of a circuit, and a count of the repetitions.
public struct LoggingResilienceObserver: ResilienceObserver {
    private let logger = Logger(label: "storage.retry")

    /// Logs as `storage.retry`; counts as `storage_retries_total` and `storage_calls_given_up_total`, by service and operation.
    public init() {}

    /// Counts.
    public func retried(
        _ operation: String, of service: String, attempt: Int, after delay: Duration, because error: StorageError
    ) {
        Counter(label: "storage_retries_total", dimensions: [("service", service), ("operation", operation)])
            .increment()
    }

    /// Logs and counts.
    public func gaveUp(
        _ operation: String, of service: String, attempts: Int, because reason: ResilientCaller.Surrender,
        error: StorageError
    ) {
        Counter(
            label: "storage_calls_given_up_total",
            dimensions: [("service", service), ("operation", operation), ("reason", reason.rawValue)]
        ).increment()
        logger.warning(
            "a call was given up",
            metadata: [
                "service": "\(service)", "operation": "\(operation)", "attempts": "\(attempts)",
                "reason": "\(reason.rawValue)", "error": "\(error)",
            ])
    }

    /// Logs, and shows as `storage_circuit_open` whether the service is left alone.
    public func circuitChanged(of service: String, to state: CircuitBreaker.State) {
        let metadata: Logger.Metadata = ["service": "\(service)"]
        Gauge(label: "storage_circuit_open", dimensions: [("service", service)]).record(state == .closed ? 0 : 1)
        switch state {
        case .open: logger.error("a service fails and is left alone for a while", metadata: metadata)
        case .halfOpen: logger.info("a service is tried again", metadata: metadata)
        case .closed: logger.notice("a service answers again", metadata: metadata)
        }
    }
}
