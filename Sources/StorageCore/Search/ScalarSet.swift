/// The characters, as Unicode scalars, that one place of a regular expression takes.
///
/// Whether one is among them takes one step where it is ASCII, and beyond a number of steps that is the logarithm of the number of
/// ``ranges``: at most seven for what fits a pattern.
struct ScalarSet: Hashable, Sendable {
    /// Every character there is.
    static let all = ScalarSet([0...UInt32.max])

    /// A bit for each character of ASCII.
    private let ascii: UInt128
    /// All beyond ASCII, in order and with something else between one and the next.
    let ranges: [ClosedRange<UInt32>]

    /// The set of all characters in some ranges, or of all others.
    init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
        let merged = Self.merged(ranges)
        let taken = isNegated ? Self.others(than: merged) : merged
        ascii = taken.reduce(into: 0) { bits, range in
            for scalar in range.prefix(while: { $0 < 128 }) { bits |= 1 << UInt128(scalar) }
        }
        self.ranges = taken.compactMap { $0.upperBound < 128 ? nil : max($0.lowerBound, 128)...$0.upperBound }
    }

    func contains(_ scalar: UInt32) -> Bool {
        guard scalar >= 128 else { return ascii >> UInt128(scalar) & 1 == 1 }
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= scalar
    }

    /// The same characters in as few ranges as that takes, in order.
    private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let last = merged.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 else {
                merged.append(range)
                continue
            }
            merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        }
        return merged
    }

    /// What lies between ranges in order.
    private static func others(than ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var others: [ClosedRange<UInt32>] = []
        var next: UInt32? = 0
        for range in ranges {
            if let next, next < range.lowerBound { others.append(next...range.lowerBound - 1) }
            next = range.upperBound == .max ? nil : range.upperBound + 1
        }
        if let next { others.append(next...UInt32.max) }
        return others
    }

    /// The class of this name (POSIX.1-2024 XBD 7.3.1), of ASCII characters alone; nil for a name that is not known.
    static func ranges(ofClass name: String) -> [ClosedRange<UInt32>]? {
        switch name {
        case "alnum": [digit, upper, lower]
        case "alpha": [upper, lower]
        case "blank": [0x20...0x20, 0x09...0x09]
        case "cntrl": [0x00...0x1F, 0x7F...0x7F]
        case "digit": [digit]
        case "graph": [0x21...0x7E]
        case "lower": [lower]
        case "print": [0x20...0x7E]
        case "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        case "space": [0x20...0x20, 0x09...0x0D]
        case "upper": [upper]
        case "xdigit": [digit, 0x41...0x46, 0x61...0x66]
        default: nil
        }
    }

    private static let digit: ClosedRange<UInt32> = 0x30...0x39
    private static let upper: ClosedRange<UInt32> = 0x41...0x5A
    private static let lower: ClosedRange<UInt32> = 0x61...0x7A
}
