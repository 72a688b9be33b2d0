import NIOCore
import Synchronization

/// Reads the parts of a form one after the other from a body that arrives in chunks.
///
/// One task reads at a time: `nextPart`, then `nextChunk` until nil, then `nextPart` again. A part that is not read to its
/// end is passed over. The body is asked for a chunk only when one is needed, so its sender feels how fast it is read;
/// nothing is collected except by `collect`. All errors of the source come through unchanged.
final class MultipartReader: Sendable {
    /// The largest field that `collect` reads unless told otherwise.
    static let maximumFieldBytes = 16 * 1024

    private struct State: Sendable {
        var parser: MultipartParser
        var isInPart = false
        var isSourceAtEnd = false
    }

    private enum Progress: Sendable {
        case event(MultipartParser.Event)
        case needsChunk
        case bodyIsOver
    }

    private let state: Mutex<State>
    private let source: @Sendable () async throws -> ByteBuffer?

    /// `source` gives the chunks of the body in order and nil at its end, and is not called again behind that.
    init(boundary: MultipartBoundary, source: @escaping @Sendable () async throws -> ByteBuffer?) {
        state = Mutex(State(parser: MultipartParser(boundary: boundary)))
        self.source = source
    }

    /// The head of the next part, or nil behind the last one, when the whole body has been read, what follows the closing
    /// boundary included. A body without its closing boundary is an error.
    func nextPart() async throws -> PartHead? {
        while let event = try await nextEvent() {
            if case .partBegin(let head) = event { return head }
        }
        return nil
    }

    /// More bytes of the part that `nextPart` gave last, or nil at its end.
    func nextChunk() async throws -> ByteBuffer? {
        while state.withLock({ $0.isInPart }), let event = try await nextEvent() {
            if case .partBody(let bytes) = event { return bytes }
        }
        return nil
    }

    /// All bytes of the current part; an error when there are more than `limit`.
    func collect(upTo limit: Int = MultipartReader.maximumFieldBytes) async throws -> [UInt8] {
        var collected: [UInt8] = []
        while let chunk = try await nextChunk() {
            guard chunk.readableBytes <= limit &- collected.count else {
                throw ParseError(.tooLarge, "A field of the form may have at most \(limit) bytes.")
            }
            collected.append(contentsOf: chunk.readableBytesView)
        }
        return collected
    }

    private func nextEvent() async throws -> MultipartParser.Event? {
        while true {
            switch try progress() {
            case .event(let event): return event
            case .bodyIsOver: return nil
            case .needsChunk:
                let chunk = try await source()
                try state.withLock { state in
                    if let chunk {
                        state.parser.feed(chunk)
                    } else {
                        state.isSourceAtEnd = true
                        try state.parser.finish()
                    }
                }
            }
        }
    }

    private func progress() throws(ParseError) -> Progress {
        try state.withLock { state throws(ParseError) in
            guard let event = try state.parser.nextEvent() else {
                return state.isSourceAtEnd ? .bodyIsOver : .needsChunk
            }
            switch event {
            case .partBegin: state.isInPart = true
            case .partEnd, .end: state.isInPart = false
            case .partBody: break
            }
            return .event(event)
        }
    }
}
