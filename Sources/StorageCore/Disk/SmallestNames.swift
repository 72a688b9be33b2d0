/// The first names of a folder in byte order, picked from a listing in no order with memory for a page only.
struct SmallestNames: Sendable {
    /// The most names that are kept.
    let limit: Int
    private let lowest: [UInt8]?
    private let includesLowest: Bool
    private var names: [[UInt8]] = []
    private var highest: [UInt8]?

    /// Keeps names from the given one on.
    init(from name: [UInt8]?, limit: Int) {
        self.limit = limit
        lowest = name
        includesLowest = true
    }

    /// Keeps names behind the given one.
    init(after name: [UInt8]?, limit: Int) {
        self.limit = limit
        lowest = name
        includesLowest = false
    }

    /// Offers a name.
    mutating func insert(_ name: UnsafeRawBufferPointer) {
        if let lowest {
            if name.lexicographicallyPrecedes(lowest) { return }
            if !includesLowest, name.elementsEqual(lowest) { return }
        }
        if let highest, !name.lexicographicallyPrecedes(highest) { return }
        names.append(Array(name))
        // Sorting at twice the limit costs each name a logarithm only.
        if names.count >= 2 * limit { trim() }
    }

    private mutating func trim() {
        names = sorted
        if names.count == limit { highest = names.last }
    }

    /// The names in order.
    var sorted: [[UInt8]] {
        Array(names.sorted { $0.lexicographicallyPrecedes($1) }.prefix(limit))
    }

    /// An empty selection that goes on where this one ends.
    func next() -> SmallestNames {
        guard names.count >= limit, let last = sorted.last else { return SmallestNames(after: nil, limit: 0) }
        return SmallestNames(after: last, limit: limit)
    }

    /// Whether there is nothing to go on with.
    var isExhausted: Bool { limit == 0 }
}
