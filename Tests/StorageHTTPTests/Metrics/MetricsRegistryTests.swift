import Metrics
import Testing

@testable import StorageHTTP

@Suite("MetricsRegistry")
struct MetricsRegistryTests {
    private let registry = MetricsRegistry(helps: ["a_total": "Counts\n\\a\\."])

    private var lines: [String] {
        String(decoding: registry.exposition(), as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.contains("metrics_dropped_series_total") }
    }

    @Test("writes counters by their labels, with help and type once for a name")
    func counters() {
        Counter(label: "a_total", dimensions: [("b", "2")], factory: registry).increment(by: 3)
        let counter = Counter(label: "a_total", dimensions: [("b", "1")], factory: registry)
        counter.increment()
        counter.increment(by: -5)
        // The same again is the same series.
        Counter(label: "a_total", dimensions: [("b", "1")], factory: registry).increment()
        #expect(
            lines == [
                #"# HELP a_total Counts\n\\a\\."#, "# TYPE a_total counter", #"a_total{b="1"} 2"#, #"a_total{b="2"} 3"#,
            ])
    }

    @Test("escapes values of labels, and makes names fit")
    func escaping() {
        Counter(
            label: "1a.b c", dimensions: [("x-y", "\"\\\n√"), ("x_y", "second"), ("le", "1")], factory: registry
        ).increment()
        #expect(lines == ["# TYPE _1a_b_c counter", #"_1a_b_c{x_y="\"\\\n√",le_="1"} 1"#])
    }

    @Test("writes gauges with the last value, and not before there is one")
    func gauges() {
        let gauge = Gauge(label: "g", factory: registry)
        #expect(lines.isEmpty)
        gauge.record(1.5)
        let meter = Meter(label: "m", factory: registry)
        meter.increment(by: 3)
        meter.decrement()
        #expect(lines == ["# TYPE g gauge", "g 1.5", "# TYPE m gauge", "m 2"])
        meter.set(Double.infinity)
        gauge.record(-2)
        #expect(lines == ["# TYPE g gauge", "g -2", "# TYPE m gauge", "m +Inf"])
    }

    @Test("writes timers as cumulative histograms of seconds")
    func histograms() throws {
        let timer = Timer(label: "t_seconds", dimensions: [("a", "b")], factory: registry)
        for nanoseconds: Int64 in [0, 100_000, 100_001, 2_000_000_000, .max, -1] {
            timer.recordNanoseconds(nanoseconds)
        }
        let lines = lines
        #expect(lines.first == "# TYPE t_seconds histogram")
        #expect(lines[1] == #"t_seconds_bucket{a="b",le="0.0001"} 3"#)
        #expect(lines[2] == #"t_seconds_bucket{a="b",le="0.00025"} 4"#)
        #expect(lines.contains(#"t_seconds_bucket{a="b",le="1"} 4"#))
        #expect(lines.contains(#"t_seconds_bucket{a="b",le="2.5"} 5"#))
        #expect(lines.contains(#"t_seconds_bucket{a="b",le="120"} 5"#))
        #expect(lines.contains(#"t_seconds_bucket{a="b",le="+Inf"} 6"#))
        #expect(lines.last == #"t_seconds_count{a="b"} 6"#)
        #expect(lines.count == 1 + 19 + 2)
    }

    @Test("writes recorders that aggregate as a number and a sum")
    func summaries() {
        let recorder = Recorder(label: "r", factory: registry)
        recorder.record(2)
        recorder.record(0.5)
        #expect(lines == ["# TYPE r summary", "r_sum 2.5", "r_count 2"])
    }

    @Test("asks samplers each time, and lets none of them contradict what was counted")
    func samples() {
        Counter(label: "a_total", dimensions: [("b", "1")], factory: registry).increment()
        registry.sample { samples in
            samples.gauge("a_total", 9, [("b", "2")])
            samples.count("a_total", 9, [("b", "1")])
            samples.count("a_total", 7, [("b", "3")])
            samples.gauge("g", 0.25)
        }
        for _ in 1...2 {
            #expect(
                lines.filter { !$0.hasPrefix("#") } == [#"a_total{b="1"} 1"#, #"a_total{b="3"} 7"#, "g 0.25"])
        }
    }

    @Test("keeps a name to its first kind and to a bounded number of labels, and tells what it dropped")
    func bounds() {
        for number in 0..<MetricsRegistry.seriesLimit + 3 {
            Counter(label: "a_total", dimensions: [("n", "\(number)")], factory: registry).increment()
        }
        Meter(label: "a_total", factory: registry).set(5)
        Timer(label: "a_total", dimensions: [("n", "1")], factory: registry).recordNanoseconds(1)
        #expect(lines.count == 2 + MetricsRegistry.seriesLimit)
        let text = String(decoding: registry.exposition(), as: UTF8.self)
        #expect(text.contains("\nmetrics_dropped_series_total 4\n"))
    }

    @Test("counts what many tasks add at the same time")
    func concurrency() async {
        let counter = Counter(label: "a_total", factory: registry)
        let meter = Meter(label: "m", factory: registry)
        let timer = Timer(label: "t", factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        meter.increment()
                        timer.recordNanoseconds(1)
                    }
                }
            }
        }
        for line in ["a_total 8000", "m 8000", "t_count 8000"] { #expect(lines.contains(line)) }
    }
}
