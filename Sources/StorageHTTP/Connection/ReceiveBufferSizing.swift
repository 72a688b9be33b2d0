import NIOCore

/// Gives each read of a socket a buffer that fits what the last ones brought: small for a request head or a trickle,
/// the full size for a client that keeps filling them.
///
/// Buffers are never taken from the channel's pool: a pooled buffer stays allocated, at the largest size it ever had,
/// for as long as the connection is idle. That is why no size is hinted and every buffer is announced as a possibly
/// larger one.
struct ReceiveBufferSizing: RecvByteBufferAllocator {
    private static let smallest = 2_048

    private let largest: Int
    private var size = smallest
    private var sparseReads = 0

    init(largest: Int) {
        self.largest = max(largest, Self.smallest)
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        allocator.buffer(capacity: size)
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        if actualReadBytes >= size {
            size = min(size * 4, largest)
            sparseReads = 0
        } else if actualReadBytes <= size / 4, size > Self.smallest {
            // One short read is only the end of a burst.
            sparseReads += 1
            if sparseReads == 2 {
                size = max(size / 4, Self.smallest)
                sparseReads = 0
            }
        } else {
            sparseReads = 0
        }
        return true
    }
}
