import StorageCore

/// The text of an element and the ways to read it.
struct AnswerText {
    /// UTF-8.
    let bytes: [UInt8]
    /// The path of the element, for faults.
    let element: String

    var string: String { String(decoding: bytes, as: UTF8.self) }

    /// The text, or nil when it is empty.
    var nonempty: String? { bytes.isEmpty ? nil : string }

    /// The moment, or nil for what is none: no answer is refused for its times.
    var moment: Timestamp? { UTCDate(iso8601: bytes)?.moment }

    func number() throws(AnswerFault) -> Int64 {
        guard let number = DecimalNumber.parse(bytes) else { throw .invalid(element) }
        return number
    }

    func flag() throws(AnswerFault) -> Bool {
        switch string {
        case "true": return true
        case "false": return false
        default: throw .invalid(element)
        }
    }
}

/// A name in a list: as it was sent until it is known whether the names of the answer are encoded.
struct ListedName {
    /// Decodes a name where the answer says that its names are.
    static func decode(_ name: inout [UInt8], isEncoded: Bool, in element: String) throws(AnswerFault) {
        guard isEncoded else { return }
        guard let decoded = PercentEncoding.decodeForm(name) else { throw .invalid(element) }
        name = decoded
    }
}
