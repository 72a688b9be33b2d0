/// A map that is walked in the order of its keys; found by hash, searched by halving.
struct SortedMap<Key: Hashable & Comparable & Sendable, Value: Sendable>: Sendable {
    /// The keys in their order.
    private(set) var keys: [Key] = []
    private var values: [Key: Value] = [:]

    /// The value of a key; setting nil takes the key out.
    subscript(key: Key) -> Value? {
        get { values[key] }
        set {
            if let newValue {
                if values.updateValue(newValue, forKey: key) == nil { keys.insert(key, at: position { $0 < key }) }
            } else if values.removeValue(forKey: key) != nil {
                keys.remove(at: position { $0 < key })
            }
        }
    }

    /// The number of keys at the front for which this holds; it must not hold again behind one for which it does not.
    func position(whileTrue isBefore: (Key) -> Bool) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(keys[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
