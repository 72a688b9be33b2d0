/// The `Range` header of a download (RFC 9110 section 14.2) against a file of a known size.
enum RangeHeader {
    /// What a download sends.
    enum Selection: Equatable, Sendable {
        /// The whole file with 200: the header is no byte range, is malformed, or asks for too much.
        case whole
        /// These bytes with 206, in the order of the header; none is empty, none overlap, all lie within the file.
        case ranges([Range<Int64>])
        /// 416: the header is well formed but none of its ranges has a byte in the file.
        case unsatisfiable
    }

    /// The most ranges that are answered; a header with more gets the whole file.
    static let maximumRanges = 16

    /// Reads `value` for a file of `size` bytes.
    ///
    /// Numbers of any length are understood without overflow. Ranges that overlap give the whole file, so that an answer
    /// never has more bytes of the file than the file. Ranges outside the file are left out as long as one is inside.
    static func parse(_ value: String, size: Int64) -> Selection {
        guard size >= 0, value.utf8.count <= 4_096 else { return .whole }
        var cursor = ByteCursor(value)
        let unit = cursor.take { $0 != ASCII.equals }
        guard ASCII.equals(unit, lowercase: "bytes"), cursor.consume(ASCII.equals) else { return .whole }
        var ranges: [Range<Int64>] = []
        var count = 0
        while true {
            cursor.skipBlanks()
            if cursor.peek != ASCII.comma, cursor.isAtEnd == false {
                count &+= 1
                guard count <= maximumRanges, let spec = spec(&cursor, size: size) else { return .whole }
                if let range = spec.range { ranges.append(range) }
                cursor.skipBlanks()
            }
            if cursor.isAtEnd { break }
            guard cursor.consume(ASCII.comma) else { return .whole }
        }
        guard count > 0 else { return .whole }
        if ranges.isEmpty { return .unsatisfiable }
        if ranges.contains(where: \.isEmpty) || overlap(ranges) { return .whole }
        return .ranges(ranges)
    }

    /// `bytes 0-4/10`, the `Content-Range` of a 206.
    static func contentRange(_ range: Range<Int64>, size: Int64) -> String {
        "bytes \(range.lowerBound)-\(max(range.lowerBound, range.upperBound &- 1))/\(size)"
    }

    /// `bytes */10`, the `Content-Range` of a 416.
    static func unsatisfiedContentRange(size: Int64) -> String {
        "bytes */\(size)"
    }

    /// One well-formed part of the header; its range is nil when it has no byte in the file, and empty for a suffix of an
    /// empty file, which is satisfied by the whole of it.
    private struct Spec {
        let range: Range<Int64>?
    }

    private static func spec(_ cursor: inout ByteCursor, size: Int64) -> Spec? {
        let first = number(&cursor)
        guard cursor.consume(ASCII.dash) else { return nil }
        let last = number(&cursor)
        switch (first, last) {
        case (nil, nil):
            return nil
        case (nil, .some(let suffix)):
            return Spec(range: suffix == 0 ? nil : (size &- min(suffix, size))..<size)
        case (.some(let first), nil):
            return Spec(range: first < size ? first..<size : nil)
        case (.some(let first), .some(let last)):
            guard first <= last else { return nil }
            return Spec(range: first < size ? first..<(min(last, size &- 1) &+ 1) : nil)
        }
    }

    /// A run of digits; one that does not fit is as good as the largest number, because no file is that large.
    private static func number(_ cursor: inout ByteCursor) -> Int64? {
        let digits = cursor.take(while: ASCII.isDigit)
        if digits.isEmpty { return nil }
        var value: Int64 = 0
        for byte in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte &- ASCII.zero))
            if overflow || carry { return .max }
            value = sum
        }
        return value
    }

    private static func overlap(_ ranges: [Range<Int64>]) -> Bool {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        return zip(sorted, sorted.dropFirst()).contains { $0.upperBound > $1.lowerBound }
    }
}
