/// Finds the known name that a misspelt one most probably meant.
enum NearestName {
    /// The known name with the fewest edits to `name`; of equals the first. `nil` when none is near: when more than a third of the
    /// bytes would have to be edited.
    ///
    /// Case and the choice among `.`, `-` and `_` are no edits: `HTTP_PORT` in a YAML file means `http.port`.
    /// Time is the product of the lengths; of a `name` over 128 bytes only the beginning counts.
    static func of(_ name: String, among known: [String]) -> String? {
        let wanted = spelling(of: name.utf8.prefix(128))
        var best: (name: String, edits: Int)?
        for candidate in known {
            let edits = distance(wanted, spelling(of: candidate.utf8[...]))
            if edits < best?.edits ?? .max {
                best = (candidate, edits)
            }
        }
        return best.flatMap { $0.edits <= max(1, wanted.count / 3) ? $0.name : nil }
    }

    private static func spelling(of name: Substring.UTF8View) -> [UInt8] {
        name.map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "_"), UInt8(ascii: "-"): UInt8(ascii: ".")
            default: byte
            }
        }
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
