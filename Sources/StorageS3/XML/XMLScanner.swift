/// Reads XML 1.0 as services answer it, a piece at a time, into elements and their texts, however it is cut.
///
/// Not a processor of XML, on purpose: there is no DTD, there are no entities but the five and character references, attributes
/// and namespaces are passed over, and every length has a limit. What an element holds beside child elements is passed over;
/// line ends stay as they are. References to control characters are taken, which XML 1.0 forbids and stores write in keys.
struct XMLScanner: Sendable {
    /// What is refused beyond; the whole is in bytes as sent, a text in bytes before its references are resolved.
    struct Limits: Sendable {
        var bytes = 8 << 20
        var depth = 16
        var name = 64
        var text = 64 << 10
        /// A tag with its attributes, a comment or a processing instruction.
        var markup = 4 << 10
    }

    /// What was read. A leaf is `begin` and `end` with its text; any other element ends with an empty text.
    enum Event: Equatable, Sendable {
        case begin(String)
        case end(String, text: [UInt8])
    }

    private enum State: Sendable {
        /// Between markup.
        case content
        /// Behind a `<`, whose construct is collected until it is whole.
        case markup
        /// The same, within an attribute's value that this quote ends.
        case quoted(UInt8)
    }

    private let limits: Limits
    private var state = State.content
    private var bytesRead = 0
    private var openNames: [String] = []
    private var isRootRead = false
    /// What was read since the last `<`, with it.
    private var markup: [UInt8] = []
    /// What was read since the last tag, with references as they came.
    private var raw: [UInt8] = []
    /// The text before `raw`, resolved.
    private var text: [UInt8] = []
    private var isLeaf = false
    /// The end of an element that ends with its own tag.
    private var emptyElement: String?

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// True once the root element has ended.
    var isComplete: Bool { isRootRead && openNames.isEmpty && emptyElement == nil }

    /// Reads on from `position` up to the next event; nil when all bytes are used. An error is final.
    mutating func step(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws(XMLFault) -> Event? {
        if let name = emptyElement {
            emptyElement = nil
            return end(name, text: [])
        }
        let start = position
        defer { bytesRead += position - start }
        let end = min(bytes.count, start + limits.bytes - bytesRead)
        while position < end {
            switch state {
            case .content:
                let run = bytes[position..<end].prefix { $0 != UInt8(ascii: "<") }
                try take(run)
                position = run.endIndex
                guard position < end else { break }
                markup.removeAll(keepingCapacity: true)
                markup.append(bytes[position])
                state = .markup
                position += 1
            case .markup, .quoted:
                position += 1
                if let event = try collect(bytes[position - 1]) { return event }
            }
        }
        guard end == bytes.count else { throw .tooLong }
        return nil
    }

    /// Says that nothing more will come.
    func finish() throws(XMLFault) {
        guard isComplete, case .content = state else { throw .incomplete }
    }

    private mutating func take(_ run: Slice<UnsafeRawBufferPointer>) throws(XMLFault) {
        guard !openNames.isEmpty else {
            guard run.allSatisfy(Self.isSpace) else { throw .malformed }
            return
        }
        let room = limits.text - raw.count - text.count
        guard run.prefix(room).allSatisfy({ $0 >= 0x20 || Self.isSpace($0) }) else { throw .malformed }
        guard run.count <= room else { throw .tooLong }
        raw += run
    }

    /// Adds a byte to the construct, and acts on it when that is whole.
    private mutating func collect(_ byte: UInt8) throws(XMLFault) -> Event? {
        markup.append(byte)
        let construct = Construct(markup)
        guard markup.count <= (construct.isSection ? limits.text : limits.markup) else { throw .tooLong }
        if case .quoted(let quote) = state {
            if byte == quote { state = .markup }
            return nil
        }
        switch construct {
        case .tag where byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"):
            state = .quoted(byte)
        case .tag where byte == UInt8(ascii: ">"):
            state = .content
            return try readTag()
        case .tag, .undecided: break
        case .passedOver(let isWhole):
            guard isWhole else { break }
            guard Self.isText(markup) else { throw .notText }
            state = .content
        case .section(let isWhole):
            guard isWhole else { break }
            try readSection()
            state = .content
        case .declaration:
            throw .declaration
        }
        return nil
    }

    private mutating func readSection() throws(XMLFault) {
        guard !openNames.isEmpty else { throw .malformed }
        try resolve()
        guard Self.isText(markup) else { throw .notText }
        text += markup.dropFirst(Construct.section.count).dropLast(3)
        guard text.count <= limits.text else { throw .tooLong }
    }

    private mutating func readTag() throws(XMLFault) -> Event {
        guard Self.isText(markup) else { throw .notText }
        guard let tag = XMLTag(markup) else { throw .malformed }
        guard tag.name.utf8.count <= limits.name else { throw .tooLong }
        if tag.kind == .end {
            guard openNames.last == tag.name else { throw .malformed }
            try resolve()
            return end(tag.name, text: isLeaf ? text : [])
        }
        guard !openNames.isEmpty || !isRootRead else { throw .malformed }
        guard openNames.count < limits.depth else { throw .tooDeep }
        // What stands before a child element must be text as well, though nobody sees it.
        if !openNames.isEmpty { try resolve() }
        openNames.append(tag.name)
        isRootRead = true
        isLeaf = true
        raw.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        if tag.kind == .empty { emptyElement = tag.name }
        return .begin(tag.name)
    }

    private mutating func end(_ name: String, text value: [UInt8]) -> Event {
        openNames.removeLast()
        isLeaf = false
        raw.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        return .end(name, text: value)
    }

    /// Moves what came raw to the text, its references resolved.
    private mutating func resolve() throws(XMLFault) {
        guard !raw.isEmpty else { return }
        guard Self.isText(raw) else { throw .notText }
        guard raw.contains(UInt8(ascii: "&")) else {
            text += raw
            return raw.removeAll(keepingCapacity: true)
        }
        var rest = raw[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "&") else {
                text.append(byte)
                continue
            }
            guard let length = rest.prefix(XMLReference.longest + 1).firstIndex(of: UInt8(ascii: ";")),
                let scalar = XMLReference.scalar(rest[..<length])
            else { throw .reference }
            text += scalar.utf8
            rest = rest[(length + 1)...]
        }
        raw.removeAll(keepingCapacity: true)
    }

    private static func isText(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): true
        default: false
        }
    }
}
