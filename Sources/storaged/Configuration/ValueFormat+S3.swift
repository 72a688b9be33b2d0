import StorageCore

/// What may be left out has the empty text.
extension ValueFormat where Value == String? {
    /// The address of an S3 server: scheme, host and perhaps a port; nil for the empty text.
    static var optionalEndpoint: Self {
        Self(
            expectation:
                "http:// or https://, a host and perhaps a port, without a path, such as https://s3.example.org",
            parse: { text throws(ValueRefusal) in
                guard !text.isEmpty else { return .some(nil) }
                var url = text.utf8[...]
                if url.last == UInt8(ascii: "/") { url = url.dropLast() }
                guard let scheme = ["http://", "https://"].first(where: { url.starts(with: $0.utf8) }) else {
                    return nil
                }
                let authority = Array(url.dropFirst(scheme.utf8.count))
                var (host, port) = (authority[...], ArraySlice<UInt8>?.none)
                if let colon = authority.lastIndex(of: UInt8(ascii: ":")), authority.last != UInt8(ascii: "]") {
                    (host, port) = (authority[..<colon], authority[(colon + 1)...])
                }
                let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
                guard isBracketed == host.contains(UInt8(ascii: ":")),
                    try ValueFormat<String>.host.parse(String(decoding: host, as: UTF8.self)) != nil
                else { return nil }
                if let port {
                    let number = try ValueFormat<Int>.port.parse(String(decoding: port, as: UTF8.self))
                    guard let number, number > 0 else { return nil }
                }
                return String(Substring(url))
            },
            shown: { $0.hidingUserInfo })
    }

    /// The name of a bucket; nil for the empty text. Capitals and `_` are allowed by servers other than Amazon's.
    static var optionalBucket: Self {
        Self(expectation: "the name of a bucket: 3 to 63 letters, digits, '.', '-' or '_'") {
            text throws(ValueRefusal) in
            guard !text.isEmpty else { return .some(nil) }
            let isName =
                3...63 ~= text.utf8.count && text.utf8.allSatisfy { $0.isAlphanumeric || ".-_".utf8.contains($0) }
                && text.utf8.first?.isAlphanumeric == true && text.utf8.last?.isAlphanumeric == true
            guard isName else { return nil }
            return text
        }
    }
}

extension ValueFormat where Value == String {
    /// The name of a region.
    static var region: Self {
        Self(expectation: "the name of a region, such as us-east-1") { text throws(ValueRefusal) in
            let isName = text.utf8.allSatisfy { $0.isAlphanumeric || "-_".utf8.contains($0) }
            return isName && 1...64 ~= text.utf8.count ? text : nil
        }
    }

    /// The beginning of keys in a bucket: names with slashes between them, none of which means another place; or nothing.
    ///
    /// A slash at its end is taken off.
    static var keyPrefix: Self {
        Self(
            expectation: "names of letters, digits, '.', '-' or '_' with a '/' between them, such as files/production,"
                + " at most 512 bytes"
        ) { text throws(ValueRefusal) in
            guard !text.isEmpty else { return "" }
            guard text.utf8.count <= 512 else { return nil }
            let closed = text.utf8.last == UInt8(ascii: "/") ? text.utf8.dropLast() : text.utf8[...]
            let names = closed.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let areNames = names.allSatisfy { name in
                !name.isEmpty && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
                    && name.allSatisfy { $0.isAlphanumeric || ".-_".utf8.contains($0) }
            }
            return areNames ? String(Substring(closed)) : nil
        }
    }
}

extension ValueFormat where Value == SecretText? {
    /// The id of an access key, which stands in a field of every request with `/` and `,` behind it; nil for the empty text.
    static var accessKey: Self { visible("visible ASCII without '/' and ','", except: "/,") }

    /// A secret that is the value of a field; nil for the empty text.
    static var fieldSecret: Self { visible("visible ASCII", except: "") }

    private static func visible(_ expectation: String, except refused: String) -> Self {
        Self(expectation: expectation) { text throws(ValueRefusal) in
            guard !text.isEmpty else { return .some(nil) }
            guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && !refused.utf8.contains($0) }) else { return nil }
            return SecretText(bytes: Array(text.utf8))
        }
    }
}

extension ValueFormat where Value == StoragedConfiguration.Blobs.Place {
    /// `disk`, `disk:<directory>` or `s3`.
    static var blobPlace: Self {
        Self(expectation: "disk (the data.directory), disk:<directory>, or s3 (the s3.bucket)") {
            text throws(ValueRefusal) in
            let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            switch (parts[0].asciiLowercased, parts.dropFirst().first) {
            case ("s3", nil): return .s3
            case ("disk", nil): return .disk(directory: nil)
            case ("disk", let path?):
                guard let directory = try ValueFormat<String>.path.parse(path) else { return nil }
                return .disk(directory: directory)
            default: return nil
            }
        }
    }
}

extension ValueFormat where Value == StoragedConfiguration.Blobs.Place? {
    /// ``blobPlace``, or nil for the empty text.
    static var optionalBlobPlace: Self {
        let format = ValueFormat<StoragedConfiguration.Blobs.Place>.blobPlace
        return Self(expectation: format.expectation) { text throws(ValueRefusal) in
            guard !text.isEmpty else { return .some(nil) }
            guard let place = try format.parse(text) else { return nil }
            return .some(place)
        }
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
