/// An entity tag (RFC 9110 section 8.8.3).
struct EntityTag: Equatable, Sendable {
    let isWeak: Bool
    /// What stands between the quotes.
    let opaque: [UInt8]

    init(isWeak: Bool = false, opaque: [UInt8]) {
        self.isWeak = isWeak
        self.opaque = opaque
    }

    /// A strong tag of the text between the quotes.
    init(_ opaque: String) {
        self.init(opaque: Array(opaque.utf8))
    }

    /// The tag as a field has it.
    var text: String { "\(isWeak ? "W/" : "")\"\(String(decoding: opaque, as: UTF8.self))\"" }

    /// The tag of the same representation in gzip (RFC 9110 section 8.8.3.3).
    var gzipped: EntityTag { EntityTag(isWeak: isWeak, opaque: opaque + Self.gzipSuffix) }

    /// What stands between the quotes, without the mark of gzip.
    var withoutCoding: ArraySlice<UInt8> {
        opaque.reversed().starts(with: Self.gzipSuffix.reversed())
            ? opaque.dropLast(Self.gzipSuffix.count) : opaque[...]
    }

    private static let gzipSuffix = Array("-gzip".utf8)

    /// Reads a tag where the cursor stands; nil, with the cursor anywhere, when there is none.
    init?(_ cursor: inout ByteCursor) {
        isWeak = cursor.consume("W/")
        guard cursor.consume(ASCII.quote) else { return nil }
        opaque = Array(cursor.take { $0 > ASCII.space && $0 != ASCII.quote && $0 != 0x7F })
        guard cursor.consume(ASCII.quote) else { return nil }
    }

    /// Both are strong and the same: what `If-Match` and `If-Range` ask.
    func matchesStrongly(_ other: EntityTag) -> Bool {
        isWeak == false && other.isWeak == false && opaque == other.opaque
    }

    /// The same but for weakness: what `If-None-Match` asks.
    func matchesWeakly(_ other: EntityTag) -> Bool {
        opaque == other.opaque
    }
}
