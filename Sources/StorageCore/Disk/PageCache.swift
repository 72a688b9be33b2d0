internal import CLinux

/// What the kernel has of an open file in memory.
package enum PageCache {
    /// A disk that is asked for one byte brings those around it, as many as this with the kernel's own setting.
    private static let step = 128 << 10

    /// Whether a part of a file is there, as far as one byte of each step and the last one tell. Never blocks.
    ///
    /// - Parameter descriptor: A file that is open for reading.
    package static func holds(_ range: ByteRange, of descriptor: CInt) -> Bool {
        guard let last = range.last else { return true }
        var byte: UInt8 = 0
        func isThere(_ position: Int64) -> Bool { linux_pread_cached(descriptor, &byte, 1, position) == 1 }
        return stride(from: range.lowerBound, to: last, by: step).allSatisfy(isThere) && isThere(last)
    }

    /// Reads a part of a file, all of which is in memory then, unless that is too small for it. Blocks; what cannot be read shows when
    /// it is used.
    ///
    /// To have the kernel fetch it is not enough: it takes a hint as one for its usual step, however long the part is.
    package static func fetch(_ range: ByteRange, of descriptor: CInt) {
        withUnsafeTemporaryAllocation(byteCount: step, alignment: 16) { buffer in
            var position = range.lowerBound
            while position < range.upperBound {
                let count = min(step, Int(range.upperBound - position))
                let read = linux_pread(descriptor, buffer.baseAddress, count, position)
                guard read > 0 else { return }
                position += Int64(read)
            }
        }
    }
}
