/// A dictionary with a bound on the weight of its values that forgets what was not used for longest.
package struct LRUCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var key: Key
        var value: Value
        var weight: Int
        var newer: Int?
        var older: Int?
    }

    private let capacity: Int
    private var positions: [Key: Int] = [:]
    private var entries: [Entry] = []
    private var newest: Int?
    private var oldest: Int?

    /// Makes an empty cache whose values may weigh that much together.
    package init(capacity: Int) {
        self.capacity = max(0, capacity)
    }

    /// The number of entries.
    package var count: Int { entries.count }
    /// What all values weigh together.
    package private(set) var weight = 0

    /// The value of a key, which counts as used now.
    package mutating func value(for key: Key) -> Value? {
        guard let position = positions[key] else { return nil }
        if position != newest {
            detach(position)
            attach(position)
        }
        return entries[position].value
    }

    /// Remembers a value in place of the key's former one; one that is too heavy by itself is not kept.
    package mutating func insert(_ value: Value, for key: Key, weight: Int = 1) {
        remove(key)
        guard weight <= capacity else { return }
        while self.weight > capacity - weight, let oldest { remove(at: oldest) }
        self.weight += weight
        entries.append(Entry(key: key, value: value, weight: weight, newer: nil, older: nil))
        positions[key] = entries.count - 1
        attach(entries.count - 1)
    }

    /// Forgets a key.
    package mutating func remove(_ key: Key) {
        if let position = positions[key] { remove(at: position) }
    }

    /// What the value of a key weighs, without counting that as a use.
    package func weight(of key: Key) -> Int? {
        positions[key].map { entries[$0].weight }
    }

    /// Forgets what was not used for longest, and returns it.
    package mutating func removeOldest() -> (key: Key, value: Value)? {
        guard let oldest else { return nil }
        let entry = entries[oldest]
        remove(at: oldest)
        return (entry.key, entry.value)
    }

    /// Forgets all that the condition holds for.
    package mutating func removeAll(where condition: (Value) -> Bool) {
        for position in entries.indices.reversed() where condition(entries[position].value) { remove(at: position) }
    }

    private mutating func remove(at position: Int) {
        weight -= entries[position].weight
        detach(position)
        positions[entries[position].key] = nil
        let last = entries.count - 1
        if position != last {
            // The last entry takes the free place.
            let moved = entries[last]
            entries[position] = moved
            positions[moved.key] = position
            if let newer = moved.newer { entries[newer].older = position } else { newest = position }
            if let older = moved.older { entries[older].newer = position } else { oldest = position }
        }
        entries.removeLast()
    }

    private mutating func detach(_ position: Int) {
        let (newer, older) = (entries[position].newer, entries[position].older)
        if let newer { entries[newer].older = older } else if newest == position { newest = older }
        if let older { entries[older].newer = newer } else if oldest == position { oldest = newer }
        entries[position].newer = nil
        entries[position].older = nil
    }

    private mutating func attach(_ position: Int) {
        entries[position].older = newest
        if let newest { entries[newest].newer = position }
        newest = position
        if oldest == nil { oldest = position }
    }
}
