/// A dictionary with a bound that forgets what was not used for longest.
struct LRUCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var key: Key
        var value: Value
        var newer: Int?
        var older: Int?
    }

    private let capacity: Int
    private var positions: [Key: Int] = [:]
    private var entries: [Entry] = []
    private var newest: Int?
    private var oldest: Int?

    /// Makes an empty cache of at least one entry.
    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// The number of entries.
    var count: Int { entries.count }

    /// The value of a key, which counts as used now.
    mutating func value(for key: Key) -> Value? {
        guard let position = positions[key] else { return nil }
        detach(position)
        attach(position)
        return entries[position].value
    }

    /// Remembers a value in place of the key's former one.
    mutating func insert(_ value: Value, for key: Key) {
        if let position = positions[key] {
            entries[position].value = value
            detach(position)
            attach(position)
            return
        }
        if entries.count >= capacity, let oldest { remove(at: oldest) }
        entries.append(Entry(key: key, value: value, newer: nil, older: nil))
        positions[key] = entries.count - 1
        attach(entries.count - 1)
    }

    /// Forgets a key.
    mutating func remove(_ key: Key) {
        if let position = positions[key] { remove(at: position) }
    }

    /// Forgets all that the condition holds for.
    mutating func removeAll(where condition: (Value) -> Bool) {
        for position in entries.indices.reversed() where condition(entries[position].value) { remove(at: position) }
    }

    private mutating func remove(at position: Int) {
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
