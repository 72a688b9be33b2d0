/// Something in a blob store that is no blob: nothing that is stored needs it, and the store never deletes it on its own account.
public struct Stray: Hashable, Sendable {
    /// Where it comes from.
    public enum Origin: Hashable, Sendable {
        /// Somebody else: its name is none that the store gives.
        case foreign
        /// An upload that ended long ago without taking its bytes away.
        case abandonedUpload
    }

    /// The name, relative to the store; bytes, because names on disk need not be text.
    public let name: [UInt8]
    /// Where it comes from.
    public let origin: Origin

    /// Describes what was found.
    public init(name: [UInt8], origin: Origin) {
        self.name = name
        self.origin = origin
    }

    /// The name for people: the text that it is, or with `\xff` for every byte beyond ASCII where it is none.
    public var text: String {
        String(validating: name, as: UTF8.self)
            ?? name.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "\\x" + Hexadecimal.encode([$0]) }.joined()
    }
}
