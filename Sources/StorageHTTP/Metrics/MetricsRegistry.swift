public import Metrics
import Synchronization

/// A backend of swift-metrics that keeps its figures in memory and writes them down for Prometheus.
///
/// # Behavior
///
/// - Counting is lock-free: a handle that was made once costs an addition to a figure in memory.
/// - A name has one kind, the first that was asked for; what asks for it as another kind counts nothing.
/// - A name has at most ``seriesLimit`` combinations of labels; what comes beyond counts nothing but `metrics_dropped_series_total`.
/// - Nothing that was counted is ever forgotten, also not by `destroy()`: a counter that began anew would look like a restart.
/// - Names and labels of other forms than Prometheus takes are made to fit.
///
/// ```swift
/// let metrics = MetricsRegistry()
/// MetricsSystem.bootstrap(metrics)
/// ```
public final class MetricsRegistry: MetricsFactory {
    /// Adds figures that are looked up when somebody asks for them. May block.
    public typealias Sampler = @Sendable (inout MetricSamples) -> Void

    /// How many combinations of labels a name may have.
    public static let seriesLimit = 2_000

    private struct State {
        var families: [String: MetricFamily] = [:]
        var samplers: [Sampler] = []
        var dropped: UInt64 = 0
    }

    private let helps: [String: String]
    private let state = Mutex(State())

    /// Makes an empty registry.
    ///
    /// - Parameter helps: What the figures mean, by name: one line each.
    public init(helps: [String: String] = MetricsRegistry.helps) {
        self.helps = helps
    }

    /// Has figures looked up each time that ``exposition()`` is called.
    public func sample(_ sampler: @escaping Sampler) {
        state.withLock { $0.samplers.append(sampler) }
    }

    /// All figures in the text format 0.0.4 of Prometheus (prometheus.io, "Exposition formats"), in the order of their names.
    ///
    /// Blocks for as long as the samplers do: not to be called on an event loop.
    public func exposition() -> [UInt8] {
        var (families, samplers, dropped) = state.withLock { ($0.families, $0.samplers, $0.dropped) }
        var samples = MetricSamples()
        samples.count("metrics_dropped_series_total", dropped)
        for sampler in samplers { sampler(&samples) }
        for sample in samples.all {
            families[sample.name, default: MetricFamily(kind: sample.kind)].add(sample)
        }
        var text = PrometheusText()
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text.append(family, name: name, help: helps[name])
        }
        return text.bytes
    }

    // MARK: Handles

    /// A number that only grows.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() } ?? CounterSeries()
    }

    /// The last value, or the number and the sum of all values where they are to be aggregated.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { return series(label, dimensions, .summary) { SummarySeries() } ?? SummarySeries() }
        return series(label, dimensions, .gauge) { GaugeSeries(nil) } ?? GaugeSeries(nil)
    }

    /// A number that grows and shrinks.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries(0) } ?? GaugeSeries(0)
    }

    /// A histogram of seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram) { HistogramSeries() } ?? HistogramSeries()
    }

    /// Forgets nothing.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Forgets nothing.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Forgets nothing.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Forgets nothing.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// The series of a name and labels, made where it is missing; nil where there is to be none.
    private func series<Series: MetricSeries>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricKind, _ make: () -> Series
    ) -> Series? {
        let name = PrometheusText.name(label)
        let labels = PrometheusText.labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? MetricFamily(kind: kind)
            if let known = family.series[labels] { return known as? Series }
            guard family.kind == kind, family.series.count < Self.seriesLimit else {
                state.dropped += 1
                return nil
            }
            let series = make()
            family.series[labels] = series
            state.families[name] = family
            return series
        }
    }
}

/// Figures that were looked up at one moment.
public struct MetricSamples: Sendable {
    struct Sample: Sendable {
        let name: String
        let labels: String
        let kind: MetricKind
        let value: Double
    }

    private(set) var all: [Sample] = []

    /// Adds a number that only grows.
    public mutating func count(_ name: String, _ value: some BinaryInteger, _ labels: [(String, String)] = []) {
        add(name, Double(value), labels, .counter)
    }

    /// Adds a number that only grows.
    public mutating func count(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        add(name, value, labels, .counter)
    }

    /// Adds a number as it is at this moment.
    public mutating func gauge(_ name: String, _ value: some BinaryInteger, _ labels: [(String, String)] = []) {
        add(name, Double(value), labels, .gauge)
    }

    /// Adds a number as it is at this moment.
    public mutating func gauge(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        add(name, value, labels, .gauge)
    }

    private mutating func add(_ name: String, _ value: Double, _ labels: [(String, String)], _ kind: MetricKind) {
        all.append(
            Sample(name: PrometheusText.name(name), labels: PrometheusText.labels(labels), kind: kind, value: value))
    }
}
