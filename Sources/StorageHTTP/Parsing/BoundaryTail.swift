/// The bytes behind a delimiter, which decide whether it is one: `--` closes the body, blanks and a line end begin a part,
/// anything else means that the delimiter is content that only looks like one.
struct BoundaryTail: Sendable {
    enum Verdict: Sendable {
        case undecided
        case nextPart
        case close
        /// The byte that decided it is not among `bytes`.
        case content
    }

    private enum State: Sendable {
        case start
        case dash
        case padding
        case lineEnd
        case closed
        case closedLineEnd
    }

    private var state = State.start
    /// What was read so far; bounded by `MultipartScanner.maximumPaddingBytes`.
    private(set) var bytes: [UInt8] = []

    /// True behind `--`: if the body ends here, it is closed. Many clients leave out the last line end.
    var isClosing: Bool {
        switch state {
        case .closed, .closedLineEnd: true
        case .start, .dash, .padding, .lineEnd: false
        }
    }

    mutating func next(_ byte: UInt8) -> Verdict {
        switch (state, byte) {
        case (.start, ASCII.dash): state = .dash
        case (.dash, ASCII.dash): state = .closed
        case (.start, ASCII.space), (.start, ASCII.tab), (.padding, ASCII.space), (.padding, ASCII.tab):
            state = .padding
        case (.closed, ASCII.space), (.closed, ASCII.tab): state = .closed
        case (.start, ASCII.carriageReturn), (.padding, ASCII.carriageReturn): state = .lineEnd
        case (.closed, ASCII.carriageReturn): state = .closedLineEnd
        case (.lineEnd, ASCII.lineFeed): return .nextPart
        case (.closedLineEnd, ASCII.lineFeed): return .close
        default: return .content
        }
        guard bytes.count < MultipartScanner.maximumPaddingBytes else { return .content }
        bytes.append(byte)
        return .undecided
    }
}
