import Logging
import StorageCore

/// How long a start waits for a service that cannot be reached yet.
struct Patience: Sendable {
    /// Asks once.
    static let none = Patience(duration: .zero)
    /// What a daemon has, which may be started before what it needs.
    static let start = Patience(duration: .seconds(30))

    let duration: Duration

    /// Whether anything is tried more than once.
    var isPatient: Bool { duration > .zero }

    /// Between two attempts.
    private static let pause = Duration.milliseconds(500)

    /// Does something again for as long as a service cannot be reached; the log says once that this waits.
    ///
    /// What is done should fail quickly: an attempt that has begun is waited for.
    ///
    /// - Throws: The failure of the last attempt.
    func wait<Value>(for service: String, _ body: () async throws -> Value) async throws -> Value {
        let end = ContinuousClock.now + duration
        var isWaiting = false
        while true {
            do {
                return try await body()
            } catch let error as StorageError where error.isTransient && ContinuousClock.now + Self.pause < end {
                if !isWaiting { log(error, service) }
                isWaiting = true
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func log(_ failure: StorageError, _ service: String) {
        let cause = failure.cause.map { " (\($0))" } ?? ""
        Logger(label: "storaged").notice(
            "waiting up to \(duration.settingText) for \(service)",
            metadata: ["reason": "\(failure.message)\(cause)"])
    }
}
