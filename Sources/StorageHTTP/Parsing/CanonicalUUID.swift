/// The one text form of a UUID that is accepted: 36 characters, hyphens in their places, digits of either case.
enum CanonicalUUID {
    /// The 16 bytes, or nil. The nil and the max UUID are read like any other.
    static func parse(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count == 36 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var high: UInt8?
        for (index, byte) in text.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == ASCII.dash else { return nil }
                continue
            }
            guard let digit = ASCII.hexValue(byte) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    /// Neither all zeros nor all ones.
    static func isOrdinary(_ bytes: [UInt8]) -> Bool {
        bytes.contains { $0 != 0x00 } && bytes.contains { $0 != 0xFF }
    }
}
