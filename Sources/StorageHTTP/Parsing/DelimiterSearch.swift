/// Finds the delimiter of a multipart body in raw memory (Horspool's algorithm).
///
/// Ordinary content is passed in steps of the delimiter's length. The worst content costs about two looks per byte: a
/// comparison goes on only while bytes match from the front, and as the first byte, CR, occurs nowhere else in the
/// delimiter, matched stretches never overlap.
struct DelimiterSearch: Sendable {
    /// CR LF `--` boundary; at most 74 bytes.
    let delimiter: [UInt8]
    /// How far the window may move when it ends in each byte.
    private let shifts: [UInt8]

    init(boundary: MultipartBoundary) {
        let delimiter = [ASCII.carriageReturn, ASCII.lineFeed, ASCII.dash, ASCII.dash] + boundary.bytes
        var shifts = [UInt8](repeating: UInt8(truncatingIfNeeded: delimiter.count), count: 256)
        for (index, byte) in delimiter.dropLast().enumerated() {
            shifts[Int(byte)] = UInt8(truncatingIfNeeded: delimiter.count &- 1 &- index)
        }
        self.delimiter = delimiter
        self.shifts = shifts
    }

    /// Where the whole delimiter begins first at or behind `start`; nil when it is not there.
    func first(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let length = delimiter.count
        let lastStart = bytes.count &- length
        return delimiter.withUnsafeBufferPointer { delimiter in
            shifts.withUnsafeBufferPointer { shifts in
                var window = start
                while window <= lastStart {
                    if bytes[window] == ASCII.carriageReturn {
                        var matched = 1
                        while matched < length, bytes[window &+ matched] == delimiter[matched] { matched &+= 1 }
                        if matched == length { return window }
                    }
                    window &+= Int(shifts[Int(bytes[window &+ length &- 1])])
                }
                return nil
            }
        }
    }

    /// Where the end of `bytes`, at or behind `start`, begins like the delimiter without being all of it; the end itself
    /// when it does not.
    func partialMatch(atEndOf bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let window = bytes[max(start, bytes.count &- delimiter.count &+ 1)...]
        guard let last = window.lastIndex(of: ASCII.carriageReturn) else { return bytes.count }
        return delimiter.starts(with: bytes[last...]) ? last : bytes.count
    }
}
