import Metrics
import NIOCore

/// Times calls of one operation and counts those that fail.
struct OperationMeter: Sendable {
    private let duration: Timer
    private let failures: Counter

    /// - Parameters:
    ///   - name: What the figures are called, without what they end in.
    ///   - labels: What tells the operation from others.
    init(_ name: String, _ labels: [(String, String)], _ factory: any MetricsFactory) {
        duration = Timer(label: name + "_seconds", dimensions: labels, factory: factory)
        failures = Counter(label: name + "_failures_total", dimensions: labels, factory: factory)
    }

    func measure<Value>(_ body: () async throws -> Value) async throws -> Value {
        let start = NIODeadline.now()
        do {
            let value = try await body()
            ended(since: start)
            return value
        } catch {
            ended(since: start)
            if Self.isFailure(error) { failures.increment() }
            throw error
        }
    }

    func measure<Value: Sendable>(_ future: EventLoopFuture<Value>) -> EventLoopFuture<Value> {
        let start = NIODeadline.now()
        future.whenComplete { result in
            ended(since: start)
            if case .failure(let error) = result, Self.isFailure(error) { failures.increment() }
        }
        return future
    }

    /// Whether the service failed: what it refuses by its rules is an answer, and nobody waits for a call that was cancelled.
    private static func isFailure(_ error: any Error) -> Bool {
        guard let error = error as? StorageError else { return !(error is CancellationError) }
        switch error.code {
        case .unavailable, .insufficientStorage, .corrupt, .blobMismatch, .outcomeUnknown, .wrongStore, .internal:
            return true
        default: return error.isTransient
        }
    }

    private func ended(since start: NIODeadline) {
        duration.recordNanoseconds((NIODeadline.now() - start).nanoseconds)
    }
}
