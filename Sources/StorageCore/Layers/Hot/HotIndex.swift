/// What lies in a cache of blobs on disk, in the order of its use, and what is on its way there; pure.
struct HotIndex: Sendable {
    /// The bytes that all blobs may take together, those on their way included.
    let capacity: Int64
    private var blobs: LRUCache<BlobKey, Int64>
    private var reservations: [BlobKey: Reservation] = [:]
    private var reserved: Int64 = 0
    private var hits: UInt64 = 0
    private var misses: UInt64 = 0

    private struct Reservation {
        let weight: Int64
        /// Whether the blob may still come: it may have been deleted since its way began.
        var isWanted = true
    }

    init(capacity: Int64) {
        self.capacity = max(0, capacity)
        blobs = LRUCache(capacity: .max)
    }

    /// The size of the largest blob that is kept: a single one shall not drive everything else out.
    var largest: Int64 { capacity / 4 }
    /// The bytes that are taken.
    var used: Int64 { Int64(blobs.weight) + reserved }
    /// The number of blobs that are there.
    var count: Int { blobs.count }

    /// How often blobs were found here.
    var statistics: CacheStatistics { CacheStatistics(hits: hits, misses: misses, bytes: used) }

    /// The size of a blob that is there, which counts as used now.
    mutating func use(_ key: BlobKey) -> Int64? {
        let size = blobs.value(for: key)
        if size == nil { misses &+= 1 } else { hits &+= 1 }
        return size
    }

    /// Sets room aside for a blob on its way.
    ///
    /// - Returns: The blobs that have to go first, and do not count as there any more; nil when the blob is not to be kept.
    mutating func reserve(_ key: BlobKey, size: Int64) -> [BlobKey]? {
        let weight = Self.weight(of: size)
        guard weight <= largest, reservations[key] == nil, blobs.weight(of: key) == nil, reserved + weight <= capacity
        else { return nil }
        reservations[key] = Reservation(weight: weight)
        reserved += weight
        return shrink()
    }

    /// Notes that a blob has come.
    ///
    /// - Returns: false when nobody wants it any more, and it has to go.
    mutating func complete(_ key: BlobKey, size: Int64) -> Bool {
        guard release(key) else { return false }
        blobs.insert(size, for: key, weight: Int(Self.weight(of: size)))
        return true
    }

    /// Notes that a blob will not come; whether it would have been wanted.
    @discardableResult
    mutating func release(_ key: BlobKey) -> Bool {
        guard let reservation = reservations.removeValue(forKey: key) else { return false }
        reserved -= reservation.weight
        return reservation.isWanted
    }

    /// Notes that a blob is not to be there, whether it is or is on its way.
    mutating func drop(_ key: BlobKey) {
        blobs.remove(key)
        reservations[key]?.isWanted = false
    }

    /// Notes blobs that were found, those used last at the end.
    ///
    /// - Returns: The blobs that have to go.
    mutating func load(_ found: [(key: BlobKey, size: Int64)]) -> [BlobKey] {
        for blob in found where reservations[blob.key] == nil {
            blobs.insert(blob.size, for: blob.key, weight: Int(Self.weight(of: blob.size)))
        }
        return shrink()
    }

    private mutating func shrink() -> [BlobKey] {
        var gone: [BlobKey] = []
        while used > capacity, let oldest = blobs.removeOldest() { gone.append(oldest.key) }
        return gone
    }

    /// What a blob takes of a disk: whole blocks, and one for its name.
    static func weight(of size: Int64) -> Int64 {
        let block: Int64 = 4_096
        let (sum, overflows) = max(0, size).addingReportingOverflow(2 * block - 1)
        return overflows ? .max : sum / block * block
    }
}
