import NIOCore

/// The XML body of an answer as a value, filled element by element.
protocol AnswerBody: Sendable {
    /// The name of the root element.
    static var root: String { get }

    init()

    /// An element of this path below the root begins, such as `Contents` or `Contents/Owner`.
    mutating func begin(_ path: String)

    /// An element ended; the text is empty unless it is a leaf.
    mutating func end(_ path: String, _ text: AnswerText) throws(AnswerFault)

    /// Nothing more comes: the last look at what must be there.
    mutating func finish() throws(AnswerFault)
}

extension AnswerBody {
    mutating func begin(_ path: String) {}

    mutating func finish() throws(AnswerFault) {}

    /// Reads a body that is in memory.
    ///
    /// - Throws: ``ErrorAnswer`` where the service sent one in its place, ``AnswerFault`` for anything else.
    init(parsing body: ByteBuffer) throws {
        var reader = AnswerReader<Self>()
        try reader.read(body)
        self = try reader.finish().get()
    }
}

/// Why the body of an answer cannot be used. Holds nothing of the body but the names of elements.
enum AnswerFault: Error, Equatable, Sendable {
    /// It is no XML that is read here.
    case xml(XMLFault)
    /// It is another answer than the one that was expected.
    case unexpected(root: String)
    /// The element holds what cannot be in it.
    case invalid(String)
    /// The element must be there and is not.
    case missing(String)
}

/// Reads the body of an answer as it comes, within limits: the value that is expected, or the `Error` that services send in its
/// place, under any status and even behind a 200.
struct AnswerReader<Answer: AnswerBody> {
    private var scanner: XMLScanner
    private var path: [String] = []
    private var answer = Answer()
    private var error: ErrorAnswer?

    init(limits: XMLScanner.Limits = XMLScanner.Limits()) {
        scanner = XMLScanner(limits: limits)
    }

    /// Reads the next bytes of the body.
    mutating func read(_ chunk: ByteBuffer) throws(AnswerFault) {
        try chunk.withUnsafeReadableBytes { bytes throws(AnswerFault) in
            var position = 0
            while let event = try next(bytes, &position) { try take(event) }
        }
    }

    /// Says that the body is over: what it was.
    mutating func finish() throws(AnswerFault) -> Result<Answer, ErrorAnswer> {
        do throws(XMLFault) { try scanner.finish() } catch { throw .xml(error) }
        if let error { return .failure(error) }
        try answer.finish()
        return .success(answer)
    }

    private mutating func next(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(AnswerFault) -> XMLScanner.Event? {
        do throws(XMLFault) { return try scanner.step(bytes, &position) } catch { throw .xml(error) }
    }

    private mutating func take(_ event: XMLScanner.Event) throws(AnswerFault) {
        switch event {
        case .begin(let name):
            if path.isEmpty {
                if name == ErrorAnswer.root, Answer.root != name {
                    error = ErrorAnswer()
                } else if name != Answer.root {
                    throw .unexpected(root: name)
                }
                path.append("")
            } else {
                path.append(path.count == 1 ? name : "\(path[path.count - 1])/\(name)")
                if error == nil { answer.begin(path[path.count - 1]) }
            }
        case .end(_, let text):
            let element = path.removeLast()
            guard !path.isEmpty else { return }
            if error == nil {
                try answer.end(element, AnswerText(bytes: text, element: element))
            } else {
                try error?.end(element, AnswerText(bytes: text, element: element))
            }
        }
    }
}
