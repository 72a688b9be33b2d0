extension String {
    /// The text with A–Z in lower case and every other byte as it is.
    var asciiLowercased: String {
        String(decoding: utf8.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// The text with A–Z in upper case, and `.` and `-` as `_`: a dotted key as a variable of the environment.
    var environmentSpelling: String {
        let bytes = utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte & ~0x20
            case UInt8(ascii: "."), UInt8(ascii: "-"): UInt8(ascii: "_")
            default: byte
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text with `--` in front and `.` as `-`: a dotted key as a flag of the command line.
    var flagSpelling: String {
        let bytes = utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }
        return "--" + String(decoding: bytes, as: UTF8.self)
    }

    /// The text without the login and password of URLs in it: everything between the first `//`, or the start, and the last `@`,
    /// because a password may hold whatever else would end it.
    var hidingUserInfo: String {
        guard let at = utf8.lastIndex(of: UInt8(ascii: "@")) else { return self }
        let head = utf8[..<at]
        let slash = zip(head.indices, head.indices.dropFirst()).first { head[$0] == 0x2F && head[$1] == 0x2F }
        let start = slash.map { utf8.index($0.1, offsetBy: 1) } ?? utf8.startIndex
        return String(self[..<start]) + "***" + String(self[at...])
    }

    /// The text in quotes on one line, for people: control bytes escaped, at most 120 characters of it.
    var quotedForDisplay: String {
        let isLong = unicodeScalars.count > 120
        return "'" + String(String.UnicodeScalarView(unicodeScalars.prefix(120))).escapedForDisplay
            + (isLong ? "…'" : "'")
    }

    /// The text with everything escaped that could move a terminal's cursor or turn its text round.
    var escapedForDisplay: String {
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069:
                text += "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars
            default: text.append(scalar)
            }
        }
        return String(text)
    }
}
