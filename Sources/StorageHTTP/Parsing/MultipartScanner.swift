/// The state machine of `multipart/form-data` (RFC 2046 section 5.1, RFC 7578) over raw memory, without any buffers of its
/// own but a few header lines and the end of a piece that may be the beginning of a boundary.
///
/// Each byte is looked at a bounded number of times, however the body is cut into pieces. That is so because CR occurs in
/// the delimiter (CR LF `--` boundary) only as its first byte: where a begun match fails, no other can have begun within it.
struct MultipartScanner: Sendable {
    enum Step: Equatable, Sendable {
        /// All bytes of this piece were used.
        case needsBytes
        case partBegin(PartHead)
        /// This range of the piece belongs to the current part; never empty.
        case body(Range<Int>)
        /// These bytes of earlier pieces, held back because they began like a boundary, belong to the current part.
        case heldBody([UInt8])
        case partEnd
        /// The closing boundary was read. Whatever follows is passed over.
        case end
    }

    /// The most parts of one body.
    static let maximumParts = 100
    /// The most bytes before the first boundary.
    static let maximumPreambleBytes = 1_024
    /// The most bytes behind the closing boundary.
    static let maximumEpilogueBytes = 65_536
    /// The most blanks between a boundary and the end of its line.
    static let maximumPaddingBytes = 64

    private enum State: Sendable {
        /// Before the first boundary, or in a part.
        case content
        /// Behind a whole delimiter that may still turn out to be content.
        case delimited(BoundaryTail)
        case head(PartHeadLines)
        /// The closing boundary was read; `partEnd`, where a part is open, and `end` come next.
        case closing
        case epilogue
    }

    private let search: DelimiterSearch
    private var delimiter: [UInt8] { search.delimiter }
    private var state = State.content
    private var isInPart = false
    /// How many bytes of the delimiter the earlier pieces ended with.
    private var matched = 2
    /// How many of the matched bytes are no content even if the match fails: the line end before it that is part of
    /// the headers, or that there is not at the start of the body.
    private var uncounted = 2
    private var preambleBytes = 0
    private var epilogueBytes = 0
    private var partCount = 0
    private var failure: ParseError?

    init(boundary: MultipartBoundary) {
        search = DelimiterSearch(boundary: boundary)
    }

    /// Goes on at `position` of a piece and moves it. An error is final: it comes again at every later call.
    mutating func step(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws(ParseError) -> Step {
        if let failure { throw failure }
        do {
            while true {
                if let step = try advance(bytes, &position) { return step }
            }
        } catch {
            failure = error
            throw error
        }
    }

    /// Says that no more bytes come. Throws when the closing boundary is missing; what is left of `partEnd` and `end` comes
    /// from further steps over nothing.
    mutating func finish() throws(ParseError) {
        if let failure { throw failure }
        switch state {
        case .closing, .epilogue:
            return
        case .delimited(let tail) where tail.isClosing:
            state = .closing
        default:
            let error = ParseError(
                .invalidMultipart, "The multipart body ends before its closing boundary; send all of it.")
            failure = error
            throw error
        }
    }

    /// True once `end` was reported.
    var isComplete: Bool {
        if case .epilogue = state { true } else { false }
    }

    private mutating func advance(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(ParseError) -> Step? {
        switch state {
        case .closing:
            if isInPart {
                isInPart = false
                return .partEnd
            }
            state = .epilogue
            return .end
        case .epilogue:
            epilogueBytes &+= bytes.count &- position
            position = bytes.count
            guard epilogueBytes <= Self.maximumEpilogueBytes else {
                throw ParseError(
                    .invalidMultipart, "At most \(Self.maximumEpilogueBytes) bytes may follow the closing boundary.")
            }
            return .needsBytes
        case .head(var lines):
            state = .closing
            let head = try lines.take(bytes, &position)
            guard let head else {
                state = .head(lines)
                return .needsBytes
            }
            state = .content
            isInPart = true
            (matched, uncounted) = (2, 2)
            return .partBegin(head)
        case .delimited(let tail):
            return try follow(tail, bytes, &position)
        case .content:
            if position >= bytes.count { return .needsBytes }
            return matched > 0 ? try resume(bytes, &position) : try scan(bytes, &position)
        }
    }

    /// Goes on with a match that an earlier piece began.
    private mutating func resume(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(ParseError) -> Step? {
        while matched < delimiter.count {
            guard position < bytes.count else { return .needsBytes }
            guard bytes[position] == delimiter[matched] else {
                return try giveBack(delimiter[min(uncounted, matched)..<matched])
            }
            matched &+= 1
            position &+= 1
        }
        state = .delimited(BoundaryTail())
        return nil
    }

    /// Looks for the delimiter from `position` on and reports the content before it.
    private mutating func scan(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(ParseError) -> Step? {
        let start = position
        let contentEnd: Int
        if let found = delimiterThatMayHold(bytes, from: start) {
            contentEnd = found
            matched = delimiter.count
            position = contentEnd &+ delimiter.count
            state = .delimited(BoundaryTail())
        } else {
            contentEnd = search.partialMatch(atEndOf: bytes, from: start)
            matched = bytes.count &- contentEnd
            position = bytes.count
        }
        uncounted = 0
        guard contentEnd > start else { return nil }
        if isInPart { return .body(start..<contentEnd) }
        try countPreamble(contentEnd &- start)
        return nil
    }

    /// The first delimiter that is not refuted by bytes of this very piece: content full of near-boundaries is then
    /// reported in one range.
    private func delimiterThatMayHold(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var start = start
        while let found = search.first(in: bytes, from: start) {
            start = found &+ delimiter.count
            var tail = BoundaryTail()
            var verdict = BoundaryTail.Verdict.undecided
            for byte in bytes[start...] {
                verdict = tail.next(byte)
                guard case .undecided = verdict else { break }
            }
            guard case .content = verdict else { return found }
        }
        return nil
    }

    /// Decides by the bytes behind a delimiter what it was.
    private mutating func follow(
        _ begun: BoundaryTail, _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(ParseError) -> Step? {
        var tail = begun
        while position < bytes.count {
            switch tail.next(bytes[position]) {
            case .undecided:
                position &+= 1
            case .nextPart:
                position &+= 1
                return try beginPart()
            case .close:
                position &+= 1
                state = .closing
                return nil
            case .content:
                state = .content
                return try giveBack(delimiter[uncounted...] + tail.bytes)
            }
        }
        state = .delimited(tail)
        return .needsBytes
    }

    private mutating func beginPart() throws(ParseError) -> Step? {
        guard partCount < Self.maximumParts else {
            throw ParseError(.invalidMultipart, "A form may have at most \(Self.maximumParts) parts.")
        }
        partCount &+= 1
        state = .head(PartHeadLines())
        defer { isInPart = false }
        return isInPart ? .partEnd : nil
    }

    private mutating func giveBack(_ held: ArraySlice<UInt8>) throws(ParseError) -> Step? {
        (matched, uncounted) = (0, 0)
        if held.isEmpty { return nil }
        if isInPart { return .heldBody(Array(held)) }
        try countPreamble(held.count)
        return nil
    }

    private mutating func countPreamble(_ count: Int) throws(ParseError) {
        preambleBytes &+= count
        guard preambleBytes <= Self.maximumPreambleBytes else {
            throw ParseError(
                .invalidMultipart, "The body does not begin with the boundary that its Content-Type names.")
        }
    }
}
