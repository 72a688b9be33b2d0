import StorageCore

/// Where a service answers: scheme, host and port of a URL that has nothing else.
struct S3Endpoint: Hashable, Sendable, CustomStringConvertible {
    let isSecure: Bool
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    let host: String
    let port: Int

    /// Reads `http://host:port` and the like; nil for everything else.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let (isSecure, rest) = Self.scheme(of: bytes) else { return nil }
        let authority = rest.last == UInt8(ascii: "/") ? rest.dropLast() : rest
        guard let (host, portText) = Self.split(authority), !host.isEmpty, Self.isHost(host) else { return nil }
        self.isSecure = isSecure
        self.host = String(decoding: host, as: UTF8.self)
        guard let portText else {
            port = isSecure ? 443 : 80
            return
        }
        guard let number = DecimalNumber.parse(portText), let port = Int(exactly: number), (1...65_535).contains(port)
        else { return nil }
        self.port = port
    }

    /// What is wrong with a text, as the end of a sentence; nil when it can be read. Repeats nothing of it: there may be a password in it.
    static func complaint(about text: String) -> String? {
        guard S3Endpoint(text) == nil else { return nil }
        let bytes = Array(text.utf8)
        guard let (_, rest) = scheme(of: bytes) else { return "must begin with https:// or http://" }
        if rest.contains(UInt8(ascii: "@")) {
            return "must have no user and password in it: those are keys of their own"
        }
        let authority = rest.prefix { !"/?#".utf8.contains($0) }
        if authority.count + 1 < rest.count
            || rest.dropFirst(authority.count).first.map({ $0 != UInt8(ascii: "/") }) == true
        {
            return "must end after host and port: the bucket and the prefix are keys of their own"
        }
        return "must be a URL such as https://s3.example.com or http://10.0.0.5:9000"
    }

    /// What the header `Host` says, for the service itself or for a bucket of it.
    func authority(bucket: String? = nil) -> String {
        let name = bucket.map { "\($0).\(host)" } ?? host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Whether the host is an IP address: no name ends in a part of digits alone.
    var isNumeric: Bool {
        host.utf8.first == UInt8(ascii: "[")
            || host.utf8.split(separator: UInt8(ascii: ".")).last?.allSatisfy(\.isDigit) == true
    }

    var scheme: String { isSecure ? "https" : "http" }

    var description: String { "\(scheme)://\(authority())" }

    private static func scheme(of bytes: [UInt8]) -> (isSecure: Bool, rest: ArraySlice<UInt8>)? {
        for (scheme, isSecure) in [("https://", true), ("http://", false)] {
            let count = scheme.utf8.count
            guard bytes.count > count else { continue }
            let isScheme = zip(bytes, scheme.utf8).allSatisfy { byte, letter in
                byte == letter || (byte.isUpperCase && byte + 0x20 == letter)
            }
            if isScheme { return (isSecure, bytes[count...]) }
        }
        return nil
    }

    private static func split(_ authority: ArraySlice<UInt8>) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>?)? {
        let hostEnd: Int
        if authority.first == UInt8(ascii: "[") {
            guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            hostEnd = bracket + 1
        } else {
            hostEnd = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
        }
        let rest = authority[hostEnd...]
        guard let colon = rest.first else { return (authority[..<hostEnd], nil) }
        guard colon == UInt8(ascii: ":") else { return nil }
        return (authority[..<hostEnd], rest.dropFirst())
    }

    private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
        guard host.first == UInt8(ascii: "[") else {
            return host.count <= 253 && host.first?.isAlphanumeric == true && host.last?.isAlphanumeric == true
                && host.allSatisfy { $0.isAlphanumeric || $0.isDashOrUnderscore || $0 == UInt8(ascii: ".") }
        }
        let address = host.dropFirst().dropLast()
        return (2...45).contains(address.count)
            && address.allSatisfy { Hexadecimal.value($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
    }
}
