/// Finds the known name that a misspelt one most probably meant.
enum NearestName {
    /// The known name with the fewest edits to `name`; of equals the first. `nil` only when nothing is known.
    ///
    /// Time is the product of the lengths; of a `name` over 128 bytes only the beginning counts.
    static func of(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.utf8.prefix(128))
        var best: (name: String, edits: Int)?
        for candidate in known {
            let edits = distance(wanted, Array(candidate.utf8))
            if edits < best?.edits ?? .max {
                best = (candidate, edits)
            }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn `left` into `right` (optimal string
    /// alignment).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var current = [i + 1]
            for (j, other) in right.enumerated() {
                var edits = min(last[j + 1] + 1, current[j] + 1, last[j] + (byte == other ? 0 : 1))
                if i > 0, j > 0, byte == right[j - 1], left[i - 1] == other {
                    edits = min(edits, beforeLast[j - 1] + 1)
                }
                current.append(edits)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
