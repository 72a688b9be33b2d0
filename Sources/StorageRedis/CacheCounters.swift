import Metrics

/// What became of questions, and whether any are asked.
struct CacheCounters: Sendable {
    let hits = Counter(label: "storage_cache_questions_total", dimensions: [("result", "hit")])
    let misses = Counter(label: "storage_cache_questions_total", dimensions: [("result", "miss")])
    let failures = Counter(label: "storage_cache_questions_total", dimensions: [("result", "failed")])
    let skipped = Counter(label: "storage_cache_questions_total", dimensions: [("result", "not_asked")])
    let circuit = Gauge(label: "storage_circuit_open", dimensions: [("service", "redis")])
}
