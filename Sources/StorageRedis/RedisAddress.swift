import StorageCore

/// Where a Redis is: `redis://[[user]:password@]host[:port][/database]`, or `unix:///path/of/a/socket`.
///
/// What may mean two things, such as a password with an `@` that is not percent-encoded, is no address. Describes itself without the password.
public struct RedisAddress: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    enum Place: Equatable {
        case host(String, port: UInt16)
        case socket(String)
    }

    let place: Place
    let user: [UInt8]?
    let password: [UInt8]?
    let database: Int64
    /// The address with `***` in place of the password.
    public let description: String
    /// Not the password.
    public var customMirror: Mirror { Mirror(self, children: []) }
    /// Whether it holds something that nobody else may read.
    public var hasSecret: Bool { password != nil }

    private static let port: UInt16 = 6_379
    private static let databases = 0...Int64(65_535)

    /// Reads an address; nil for what is none.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        if bytes.starts(with: "unix://".utf8) {
            let path = bytes.dropFirst(7)
            // As long as the address of a socket may be (unix(7)).
            guard path.first == UInt8(ascii: "/"), path.count < 108 else { return nil }
            (user, password, database) = (nil, nil, 0)
            place = .socket(String(decoding: path, as: UTF8.self))
            description = text
            return
        }
        guard bytes.starts(with: "redis://".utf8) else { return nil }
        let rest = bytes.dropFirst(8)
        guard !rest.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else { return nil }
        let authority = rest.prefix { $0 != UInt8(ascii: "/") }
        let path = rest.dropFirst(authority.count)
        let parts = authority.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count, let host = parts.last, let place = Self.place(host),
            let database = Self.database(path)
        else { return nil }
        var shown = "redis://"
        if parts.count == 2 {
            let info = parts[0].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard info.count == 2, let user = Self.decoded(info[0]), let password = Self.decoded(info[1]),
                !password.isEmpty
            else { return nil }
            self.user = user.isEmpty ? nil : user
            self.password = password
            shown += String(decoding: info[0], as: UTF8.self) + ":***@"
        } else {
            (user, password) = (nil, nil)
        }
        (self.place, self.database) = (place, database)
        description = shown + String(decoding: host, as: UTF8.self) + String(decoding: path, as: UTF8.self)
    }

    private static func place(_ host: ArraySlice<UInt8>) -> Place? {
        var name = host.prefix { $0 != UInt8(ascii: ":") }
        var rest = host.dropFirst(name.count)
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            name = host[(host.startIndex + 1)..<end]
            rest = host[(end + 1)...]
        }
        guard 1...253 ~= name.count, name.allSatisfy(isOfHost) else { return nil }
        guard let colon = rest.first else { return .host(String(decoding: name, as: UTF8.self), port: port) }
        guard colon == UInt8(ascii: ":"), let number = DecimalNumber.parse(rest.dropFirst()),
            let port = UInt16(exactly: number), port > 0
        else { return nil }
        return .host(String(decoding: name, as: UTF8.self), port: port)
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func database(_ path: ArraySlice<UInt8>) -> Int64? {
        guard path.count > 1 else { return 0 }
        return DecimalNumber.parse(path.dropFirst()).flatMap { databases ~= $0 ? $0 : nil }
    }

    /// What is percent-encoded, decoded.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = Hexadecimal.decode(rest.prefix(2)) else { return nil }
            bytes += value
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
