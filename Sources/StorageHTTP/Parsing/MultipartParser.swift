import NIOCore

/// A push parser for `multipart/form-data`: chunks in, events out, no I/O and no copies of what parts hold.
///
/// Feed a chunk, take events until nil, feed the next; after the last chunk call `finish()` and take what is left. The
/// limits and what is an error are those of `MultipartScanner`.
struct MultipartParser: Sendable {
    enum Event: Equatable, Sendable {
        case partBegin(PartHead)
        /// Some bytes of the current part, a slice of a chunk that was fed; never empty.
        case partBody(ByteBuffer)
        case partEnd
        /// The closing boundary was read; what follows in the body is passed over.
        case end
    }

    private var scanner: MultipartScanner
    private var chunk = ByteBuffer()

    init(boundary: MultipartBoundary) {
        scanner = MultipartScanner(boundary: boundary)
    }

    /// True once `end` was reported.
    var isComplete: Bool { scanner.isComplete }

    /// Gives the parser more of the body. Chunks should be fed only when `nextEvent` gave nil; otherwise they are copied.
    mutating func feed(_ next: ByteBuffer) {
        if chunk.readableBytes == 0 {
            chunk = next
        } else {
            chunk.writeImmutableBuffer(next)
        }
    }

    /// The next event, or nil when all that was fed has been used. An error is final.
    mutating func nextEvent() throws(ParseError) -> Event? {
        var position = 0
        let step = try chunk.withUnsafeReadableBytes { bytes throws(ParseError) in
            try scanner.step(bytes, &position)
        }
        defer { chunk.moveReaderIndex(forwardBy: position) }
        switch step {
        case .needsBytes:
            (chunk, position) = (ByteBuffer(), 0)
            return nil
        case .partBegin(let head): return .partBegin(head)
        case .body(let range):
            return chunk.getSlice(at: chunk.readerIndex &+ range.lowerBound, length: range.count).map { .partBody($0) }
        case .heldBody(let bytes): return .partBody(ByteBuffer(bytes: bytes))
        case .partEnd: return .partEnd
        case .end: return .end
        }
    }

    /// Says that the body is over; an error when its closing boundary has not come.
    mutating func finish() throws(ParseError) {
        try scanner.finish()
    }
}
