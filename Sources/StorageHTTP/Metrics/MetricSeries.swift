import Metrics
import Synchronization

/// The sorts of figures that Prometheus knows.
enum MetricKind: String, Sendable {
    case counter, gauge, histogram, summary
}

/// The figures of one combination of labels.
protocol MetricSeries: AnyObject, Sendable {
    /// Appends the lines of the series.
    func write(name: String, labels: String, to text: inout PrometheusText)
}

/// All figures of one name.
struct MetricFamily: Sendable {
    let kind: MetricKind
    /// By their labels as they are written.
    var series: [String: any MetricSeries] = [:]

    init(kind: MetricKind) {
        self.kind = kind
    }

    /// Adds a figure that was looked up; one of another kind, or of labels that are there, is left out.
    mutating func add(_ sample: MetricSamples.Sample) {
        guard sample.kind == kind, series[sample.labels] == nil else { return }
        series[sample.labels] = GaugeSeries(sample.value)
    }
}

/// A number that only grows.
final class CounterSeries: MetricSeries, CounterHandler {
    private let count = Atomic<UInt64>(0)

    func increment(by amount: Int64) {
        count.wrappingAdd(UInt64(max(0, amount)), ordering: .relaxed)
    }

    func reset() {
        count.store(0, ordering: .relaxed)
    }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        text.line(name, labels, String(count.load(ordering: .relaxed)))
    }
}

/// A number that comes and goes; not written while it has none.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    /// The bits of the value, which has no atomic addition of its own; NaN for none.
    private let bits: Atomic<UInt64>

    init(_ value: Double?) {
        bits = Atomic((value ?? .nan).bitPattern)
    }

    private var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func decrement(by amount: Double) { increment(by: -amount) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let value = Double(bitPattern: old)
            let new = ((value.isNaN ? 0 : value) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        let value = value
        if !value.isNaN { text.line(name, labels, PrometheusText.number(value)) }
    }
}

/// How many values there were, and their sum.
final class SummarySeries: MetricSeries, RecorderHandler {
    private let count = Atomic<UInt64>(0)
    private let sum = GaugeSeries(0)

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        count.wrappingAdd(1, ordering: .relaxed)
        sum.increment(by: value)
    }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        sum.write(name: name + "_sum", labels: labels, to: &text)
        text.line(name + "_count", labels, String(count.load(ordering: .relaxed)))
    }
}

/// How long things took: how many took at most as long as each of some bounds, and their sum.
final class HistogramSeries: MetricSeries, TimerHandler {
    /// In nanoseconds, and as they are written: in seconds.
    private static let bounds: [(nanoseconds: Int64, seconds: String)] = [
        (100_000, "0.0001"), (250_000, "0.00025"), (500_000, "0.0005"),
        (1_000_000, "0.001"), (2_500_000, "0.0025"), (5_000_000, "0.005"),
        (10_000_000, "0.01"), (25_000_000, "0.025"), (50_000_000, "0.05"),
        (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"),
        (1_000_000_000, "1"), (2_500_000_000, "2.5"), (5_000_000_000, "5"),
        (10_000_000_000, "10"), (30_000_000_000, "30"), (120_000_000_000, "120"),
    ]

    /// By the bound that a duration does not pass; the last for those that pass all.
    private let buckets: InlineArray<19, Atomic<UInt64>>
    private let nanoseconds = Atomic<UInt64>(0)

    init() {
        buckets = InlineArray { _ in Atomic(0) }
    }

    func recordNanoseconds(_ duration: Int64) {
        var bucket = 0
        while bucket < Self.bounds.count, duration > Self.bounds[bucket].nanoseconds { bucket += 1 }
        buckets[bucket].wrappingAdd(1, ordering: .relaxed)
        nanoseconds.wrappingAdd(UInt64(max(0, duration)), ordering: .relaxed)
    }

    func write(name: String, labels: String, to text: inout PrometheusText) {
        let prefix = labels.isEmpty ? "" : labels + ","
        var count: UInt64 = 0
        for (index, bound) in Self.bounds.enumerated() {
            count &+= buckets[index].load(ordering: .relaxed)
            text.line(name + "_bucket", "\(prefix)le=\"\(bound.seconds)\"", String(count))
        }
        count &+= buckets[Self.bounds.count].load(ordering: .relaxed)
        text.line(name + "_bucket", "\(prefix)le=\"+Inf\"", String(count))
        let sum = Double(nanoseconds.load(ordering: .relaxed)) / 1_000_000_000
        text.line(name + "_sum", labels, PrometheusText.number(sum))
        text.line(name + "_count", labels, String(count))
    }
}
