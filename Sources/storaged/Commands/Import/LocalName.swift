/// The name of a local file as people may see it; names are bytes, and not all of them are text.
enum LocalName {
    /// The text with escapes for everything that steers a terminal; bytes that are no UTF-8 as `\xff`.
    static func shown(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text.escapedForDisplay }
        return bytes.map { byte in
            (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
