/// Where a piece of work stands in a trace that goes through several services (W3C Trace Context).
///
/// Bound to the task that works: ``current`` is what requests to other services carry on.
public struct TraceContext: Hashable, Sendable {
    /// The context of the present task; nil where nobody traces.
    @TaskLocal public static var current: TraceContext?

    private let trace: SIMD2<UInt64>
    private let span: UInt64
    private let flags: UInt8
    /// What the services before this one want those behind it to know: the value of `tracestate`, passed on as it came.
    public let state: String?

    /// Begins a trace that nobody has asked to be recorded.
    public init() {
        trace = SIMD2(.random(in: 1 ... .max), .random(in: .min ... .max))
        span = .random(in: 1 ... .max)
        flags = 0
        state = nil
    }

    /// Goes on with the trace of a request (sections 3.2 and 3.3).
    ///
    /// - Parameters:
    ///   - traceparent: The value of the one field of this name.
    ///   - tracestate: The values of the fields of this name, in their order. One that is not as it should be, or longer than 512 bytes, is
    ///     left out.
    /// - Returns: nil for a `traceparent` that is not as it should be.
    public init?(traceparent: String, tracestate: [String] = []) {
        let bytes = Array(traceparent.utf8)
        guard let version = Self.number(bytes, 0..<2), version != 0xFF, Self.isDashed(bytes, at: [2, 35, 52]),
            // What a version to come puts behind the four parts is its own business.
            bytes.count == 55 || version > 0 && Self.isDashed(bytes, at: [55]),
            let high = Self.number(bytes, 3..<19), let low = Self.number(bytes, 19..<35), high != 0 || low != 0,
            let span = Self.number(bytes, 36..<52), span != 0, let flags = Self.number(bytes, 53..<55)
        else { return nil }
        trace = SIMD2(high, low)
        self.span = span
        // Sampled or not: the one flag that a version 00 may pass on.
        self.flags = UInt8(flags & 1)
        let state = tracestate.joined(separator: ",")
        self.state = TraceState.isWellFormed(state.utf8) ? state : nil
    }

    private init(_ parent: TraceContext) {
        (trace, flags, state) = (parent.trace, parent.flags, parent.state)
        span = .random(in: 1 ... .max)
    }

    /// The context of a piece of this work, such as a request to another service: a span of its own in the same trace.
    public func child() -> TraceContext { TraceContext(self) }

    /// The name of the trace: 32 hexadecimal digits.
    public var traceID: String { Self.digits(trace.x) + Self.digits(trace.y) }

    /// The value of `traceparent`, in version 00.
    public var traceparent: String { "00-\(traceID)-\(Self.digits(span))-0\(flags)" }

    // MARK: Digits

    private static func isDashed(_ bytes: [UInt8], at places: [Int]) -> Bool {
        places.allSatisfy { bytes.indices.contains($0) && bytes[$0] == UInt8(ascii: "-") }
    }

    /// The number of at most 16 digits, which are lower case.
    private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64? {
        guard range.upperBound <= bytes.count else { return nil }
        var number: UInt64 = 0
        for byte in bytes[range] {
            guard !(UInt8(ascii: "A")...UInt8(ascii: "F") ~= byte), let digit = Hexadecimal.value(byte) else {
                return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    private static func digits(_ number: UInt64) -> String {
        Hexadecimal.encode(stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) })
    }
}

/// The list in `tracestate` (W3C Trace Context section 3.3.1).
private enum TraceState {
    private static let longest = 512
    private static let mostMembers = 32

    /// Whether it is to be passed on; an empty one is not.
    static func isWellFormed(_ text: String.UTF8View) -> Bool {
        guard 1...longest ~= text.count else { return false }
        var keys: Set<[UInt8]> = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let member = trimmed(part)
            if member.isEmpty { continue }
            guard let sign = member.firstIndex(of: UInt8(ascii: "=")), isKey(member[..<sign]),
                isValue(member[member.index(after: sign)...]), keys.insert(Array(member[..<sign])).inserted
            else { return false }
        }
        return 1...mostMembers ~= keys.count
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while let byte = text.first, byte == 0x20 || byte == 0x09 { text = text.dropFirst() }
        while let byte = text.last, byte == 0x20 || byte == 0x09 { text = text.dropLast() }
        return text
    }

    /// One name of up to 256 bytes, or a tenant of up to 241 at a system of up to 14.
    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        let parts = key.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isName(parts[0], longest: 256, mayBeginWithDigit: false)
        case 2:
            return isName(parts[0], longest: 241, mayBeginWithDigit: true)
                && isName(parts[1], longest: 14, mayBeginWithDigit: false)
        default: return false
        }
    }

    private static func isName(_ name: Substring.UTF8View, longest: Int, mayBeginWithDigit: Bool) -> Bool {
        guard let first = name.first, name.count <= longest, isLetter(first) || mayBeginWithDigit && isDigit(first)
        else {
            return false
        }
        return name.allSatisfy { isLetter($0) || isDigit($0) || marks.contains($0) }
    }

    private static let marks = Array("_-*/".utf8)

    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    /// Up to 256 visible characters and spaces, no space at the end; comma and equals sign are none of a value.
    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        guard 1...256 ~= value.count else { return false }
        return value.allSatisfy { 0x20...0x7E ~= $0 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
    }
}
