import Metrics

/// Counts the passes of a task of upkeep, and notes when the last one succeeded.
struct UpkeepMeter: Sendable {
    private let succeededPasses: Counter
    private let failedPasses: Counter
    private let lastSuccess: Gauge

    /// - Parameters:
    ///   - task: What it is called in the labels.
    ///   - interval: The pause between two passes.
    init(_ task: String, every interval: Duration) {
        func passes(_ result: String) -> Counter {
            Counter(label: "storage_upkeep_passes_total", dimensions: [("task", task), ("result", result)])
        }
        succeededPasses = passes("succeeded")
        failedPasses = passes("failed")
        lastSuccess = Gauge(label: "storage_upkeep_last_success_timestamp_seconds", dimensions: [("task", task)])
        Gauge(label: "storage_upkeep_interval_seconds", dimensions: [("task", task)]).record(interval / .seconds(1))
    }

    func succeeded() {
        succeededPasses.increment()
        lastSuccess.record(Timestamp.now().seconds)
    }

    func failed() {
        failedPasses.increment()
    }
}
