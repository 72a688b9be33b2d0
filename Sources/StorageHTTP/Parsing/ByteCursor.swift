/// A place in a byte sequence that only moves forward: what the small header grammars are written with.
///
/// It never reads past the end and never traps: at the end `peek` is nil and every `consume` is false.
struct ByteCursor {
    private let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
    }

    init(_ text: String) {
        self.init(Array(text.utf8))
    }

    var isAtEnd: Bool { position >= bytes.count }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position &+= 1 }
        return bytes[position]
    }

    /// Moves over `byte` if it comes next.
    mutating func consume(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position &+= 1
        return true
    }

    /// Moves over the exact bytes of `text` if they come next, else stays.
    mutating func consume(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { expected in
            guard bytes.count &- position >= expected.count else { return false }
            guard bytes[position...].prefix(expected.count).elementsEqual(expected) else { return false }
            position &+= expected.count
            return true
        }
    }

    /// Moves over the longest run of bytes that satisfy `predicate` and returns it, possibly empty.
    mutating func take(while predicate: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, predicate(bytes[position]) { position &+= 1 }
        return bytes[start..<position]
    }

    /// Moves over spaces and tabs (OWS of RFC 9110 section 5.6.3).
    mutating func skipBlanks() {
        while position < bytes.count, ASCII.isBlank(bytes[position]) { position &+= 1 }
    }

    /// Exactly `count` digits as a number, or nil; `count` is at most 9.
    mutating func digits(_ count: Int) -> Int? {
        guard count <= 9, bytes.count &- position >= count else { return nil }
        var value = 0
        for byte in bytes[position..<(position &+ count)] {
            guard ASCII.isDigit(byte) else { return nil }
            value = value &* 10 &+ Int(byte &- ASCII.zero)
        }
        position &+= count
        return value
    }
}
