/// What begins with a `<`, as far as its first bytes tell and whether its last ones end it.
enum Construct {
    /// Too few bytes to tell.
    case undecided
    /// A start tag or an end tag.
    case tag
    /// A comment or a processing instruction, the declaration of XML among them.
    case passedOver(isWhole: Bool)
    /// Text without references: `<![CDATA[…]]>`.
    case section(isWhole: Bool)
    /// `<!` and anything else.
    case declaration

    var isSection: Bool {
        if case .section = self { true } else { false }
    }

    static let comment = Array("<!--".utf8)
    static let section = Array("<![CDATA[".utf8)

    /// Looks at what was read of a construct so far, its `<` first.
    init(_ bytes: [UInt8]) {
        guard bytes.count > 1 else {
            self = .undecided
            return
        }
        switch bytes[1] {
        case UInt8(ascii: "?"):
            self = .passedOver(isWhole: Self.ends(bytes, "?>", after: 2))
        case UInt8(ascii: "!") where bytes.starts(with: Self.comment):
            self = .passedOver(isWhole: Self.ends(bytes, "-->", after: Self.comment.count))
        case UInt8(ascii: "!") where bytes.starts(with: Self.section):
            self = .section(isWhole: Self.ends(bytes, "]]>", after: Self.section.count))
        case UInt8(ascii: "!"):
            self = Self.comment.starts(with: bytes) || Self.section.starts(with: bytes) ? .undecided : .declaration
        default:
            self = .tag
        }
    }

    private static func ends(_ bytes: [UInt8], _ end: StaticString, after start: Int) -> Bool {
        end.withUTF8Buffer { bytes.count >= start + $0.count && bytes.suffix($0.count).elementsEqual($0) }
    }
}

/// A tag: the name of its element. Attributes are checked and passed over.
struct XMLTag: Equatable {
    enum Kind {
        case start
        case end
        case empty
    }

    let kind: Kind
    /// ASCII letters, digits, `_`, `-`, `.` and `:` only; so equal names have equal bytes.
    let name: String

    /// Reads a whole tag from `<` to `>`; nil for what is none.
    init?(_ bytes: [UInt8]) {
        guard bytes.first == UInt8(ascii: "<"), bytes.last == UInt8(ascii: ">"), bytes.count > 2 else { return nil }
        var rest = bytes[1..<(bytes.count - 1)]
        var kind = Kind.start
        if rest.first == UInt8(ascii: "/") {
            rest.removeFirst()
            kind = .end
        } else if rest.last == UInt8(ascii: "/") {
            rest.removeLast()
            kind = .empty
        }
        let name = Self.takeName(&rest)
        guard let name else { return nil }
        while !rest.isEmpty {
            let spaces = rest.prefix(while: XMLScanner.isSpace).count
            rest = rest.dropFirst(spaces)
            if rest.isEmpty { break }
            guard spaces > 0, kind != .end, Self.takeAttribute(&rest) else { return nil }
        }
        self.kind = kind
        self.name = name
    }

    private static func takeAttribute(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard takeName(&rest) != nil else { return false }
        rest = rest.drop(while: XMLScanner.isSpace)
        guard rest.popFirst() == UInt8(ascii: "=") else { return false }
        rest = rest.drop(while: XMLScanner.isSpace)
        guard let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
            let end = rest.firstIndex(of: quote), !rest[..<end].contains(UInt8(ascii: "<"))
        else { return false }
        rest = rest[(end + 1)...]
        return true
    }

    private static func takeName(_ rest: inout ArraySlice<UInt8>) -> String? {
        let name = rest.prefix(while: isNameByte)
        guard let first = name.first, isLetter(first) else { return nil }
        rest = rest.dropFirst(name.count)
        return String(decoding: name, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"): true
        default: isLetter(byte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
