/// Byte-wise tests on the text of a request head. Nothing here looks at characters, whose boundaries a client could
/// shift.
enum Octets {
    /// Whether all bytes may stand in a field value: visible, blank, tab or beyond ASCII (RFC 9110 section 5.5).
    static func isFieldValue(_ octets: some Sequence<UInt8>) -> Bool {
        octets.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    /// Whether all bytes may stand in a host with an optional port (RFC 3986 section 3.2.2). A user before an `@` may
    /// not.
    static func isAuthority(_ octets: some Sequence<UInt8>) -> Bool {
        octets.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"),
                UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "!"), UInt8(ascii: "$"),
                UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
                UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
                true
            default:
                false
            }
        }
    }

    /// The value of a run of ASCII digits and nothing else; `nil` for anything else and for what exceeds an `Int64`.
    static func decimal(_ octets: some Collection<UInt8>) -> Int64? {
        guard !octets.isEmpty else { return nil }
        var value: Int64 = 0
        for octet in octets {
            guard octet >= UInt8(ascii: "0"), octet <= UInt8(ascii: "9") else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = tens.addingReportingOverflow(Int64(octet - UInt8(ascii: "0")))
            guard !overflow, !sumOverflow else { return nil }
            value = sum
        }
        return value
    }

    /// Whether the bytes equal `lowercase`, ASCII letters in any case.
    static func equal(_ octets: some Collection<UInt8>, _ lowercase: StaticString) -> Bool {
        lowercase.withUTF8Buffer { expected in
            octets.count == expected.count
                && zip(octets, expected).allSatisfy { octet, other in
                    let isUpper = octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z")
                    return (isUpper ? octet | 0x20 : octet) == other
                }
        }
    }

    /// Without blanks and tabs at both ends.
    static func trimmed(_ octets: Substring.UTF8View) -> Substring.UTF8View {
        var rest = octets
        while let first = rest.first, first == 0x20 || first == 0x09 { rest = rest.dropFirst() }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return rest
    }
}
