/// What is left to whom under one limit: token buckets, as the moments at which they will be full again (GCRA, ITU-T I.371 annex A).
///
/// Pure: the time is a number of nanoseconds that the owner tells. As many are remembered as the capacity says; of those that are
/// full nothing has to be known, so what is forgotten first is what was not touched for longest.
struct RateBuckets: Sendable {
    /// Whom something is counted for: 32 bytes that no name or address can be read from.
    typealias Key = [UInt8]

    private struct Bucket {
        /// When it will be full again.
        var full: Int64
        /// Taken by those of whom it is not known yet whether they give it back.
        var held = 0
        /// What was spent here, and what others were heard to have spent, in which period.
        var own: Int64 = 0
        var others: Int64 = 0
        var period: Int64 = 0
    }

    let limit: RateLimit
    private var buckets: LRUCache<Key, Bucket>

    init(_ limit: RateLimit, capacity: Int) {
        self.limit = limit
        buckets = LRUCache(capacity: capacity)
    }

    /// The number of those of whom anything is known.
    var count: Int { buckets.count }

    /// The number of the period that a moment lies in: the same for all whose clocks agree.
    func period(at moment: Timestamp) -> Int64 {
        moment.microseconds / max(1, limit.period.wholeMicroseconds)
    }

    /// How long until one may be taken, in nanoseconds; nil for now. What is held does not count.
    mutating func delay(of key: Key, at now: Int64) -> Int64? {
        guard let bucket = buckets.value(for: key) else { return nil }
        return delay(bucket, holding: 0, at: now)
    }

    /// Takes one that may be given back; returns how long to wait, in nanoseconds, where there is none.
    mutating func hold(_ key: Key, at now: Int64) -> Int64? {
        var bucket = buckets.value(for: key) ?? Bucket(full: now)
        if let delay = delay(bucket, holding: bucket.held, at: now) { return delay }
        bucket.held += 1
        buckets.insert(bucket, for: key)
        return nil
    }

    /// Gives back what was held.
    mutating func release(_ key: Key, at now: Int64) {
        guard var bucket = buckets.value(for: key) else { return }
        bucket.held = max(0, bucket.held - 1)
        // Of a full one nothing has to be remembered but what was spent: others would be charged with it, if it was forgotten.
        if bucket.held == 0, bucket.own == 0, bucket.full <= now {
            buckets.remove(key)
        } else {
            buckets.insert(bucket, for: key)
        }
    }

    /// Takes one for good, whether or not there is one left: nobody waits longer than for one because of it.
    mutating func spend(_ key: Key, isHeld: Bool = true, at now: Int64, in period: Int64 = 0) {
        var bucket = buckets.value(for: key) ?? Bucket(full: now)
        if isHeld { bucket.held = max(0, bucket.held - 1) }
        charge(&bucket, 1, until: now + burst, at: now)
        if bucket.period != period { (bucket.own, bucket.others, bucket.period) = (0, 0, period) }
        bucket.own += 1
        buckets.insert(bucket, for: key)
    }

    /// Learns what all who count together have spent in a period, the own share included, and charges what others have.
    ///
    /// Never gives anything back. Takes also what there is not: whoever spends one as soon as there is one would else never be charged with what
    /// others spent meanwhile; but no more than comes back in a period. Nothing is charged to those of whom nothing was spent here in
    /// that period, nor for a number that so many processes cannot have: each ends at the limit itself.
    mutating func hear(_ total: Int64, of key: Key, at now: Int64, in period: Int64 = 0) {
        guard var bucket = buckets.value(for: key), bucket.own > 0, bucket.period == period,
            1...(Int64(limit.count) * Self.mostProcesses) ~= total
        else { return }
        let others = total - bucket.own - bucket.others
        guard others > 0 else { return }
        bucket.others += others
        charge(&bucket, others, until: now + 2 * burst, at: now)
        buckets.insert(bucket, for: key)
    }

    /// More processes than share a database.
    private static let mostProcesses: Int64 = 64

    private var burst: Int64 { limit.interval * Int64(limit.count) }

    /// - Parameter end: When it is full again at the latest, unless that is later already.
    private func charge(_ bucket: inout Bucket, _ count: Int64, until end: Int64, at now: Int64) {
        let count = min(count, 2 * Int64(limit.count))
        bucket.full = max(bucket.full, min(max(bucket.full, now) + count * limit.interval, end))
    }

    private func delay(_ bucket: Bucket, holding held: Int, at now: Int64) -> Int64? {
        let next = max(bucket.full, now) + Int64(held + 1) * limit.interval
        return next <= now + burst ? nil : next - now - burst
    }
}
