import StorageCore

/// Times as RFC 3339 section 5.6 writes them: UTC, whole seconds, `Z`.
enum RFC3339 {
    static let length = 20

    /// `2020-09-11T17:22:05Z` for a moment in microseconds since 1970; fractions are cut off downwards.
    static func format(microseconds: Int64) -> String {
        String(unsafeUninitializedCapacity: length) { buffer in
            write(microseconds: microseconds, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Writes the same 20 bytes and returns their count; 0 when `buffer` is too small.
    static func write(microseconds: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard buffer.count >= length else { return 0 }
        let seconds = microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
        let date = CivilDate(secondsSinceEpoch: seconds)
        twoDigits(date.year / 100, at: 0, in: buffer)
        twoDigits(date.year % 100, at: 2, in: buffer)
        buffer[4] = ASCII.dash
        twoDigits(date.month, at: 5, in: buffer)
        buffer[7] = ASCII.dash
        twoDigits(date.day, at: 8, in: buffer)
        buffer[10] = 0x54
        twoDigits(date.hour, at: 11, in: buffer)
        buffer[13] = ASCII.colon
        twoDigits(date.minute, at: 14, in: buffer)
        buffer[16] = ASCII.colon
        twoDigits(date.second, at: 17, in: buffer)
        buffer[19] = 0x5A
        return length
    }

    private static func twoDigits(_ value: Int, at index: Int, in buffer: UnsafeMutableRawBufferPointer) {
        buffer[index] = ASCII.zero &+ UInt8(truncatingIfNeeded: value / 10)
        buffer[index &+ 1] = ASCII.zero &+ UInt8(truncatingIfNeeded: value % 10)
    }
}
