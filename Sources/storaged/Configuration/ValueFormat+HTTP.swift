import StorageHTTP

/// What may be left out has the empty text.
extension ValueFormat where Value == String? {
    /// The path of a file, or nothing.
    static var optionalPath: Self {
        Self(
            expectation: "the path of a file",
            parse: { text throws(ValueRefusal) in text.isEmpty ? .some(nil) : try ValueFormat<String>.path.parse(text)
            })
    }

    /// An absolute URL to build others on, without the slash at its end; or nothing.
    static var publicURL: Self {
        Self(
            expectation: "an absolute URL with http or https and a host, such as https://files.example.org",
            parse: { text throws(ValueRefusal) in
                guard !text.isEmpty else { return .some(nil) }
                var url = text.utf8[...]
                guard let scheme = ["http://", "https://"].first(where: { url.starts(with: $0.utf8) }) else {
                    return nil
                }
                let rest = url.dropFirst(scheme.utf8.count)
                let host = rest.prefix { $0 != UInt8(ascii: "/") }
                guard CrossOriginPolicy(scheme + String(Substring(host))) != nil else { return nil }
                // Visible ASCII, without a query, a fragment and what would end a field.
                guard rest.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !refused.contains($0) }) else { return nil }
                while url.last == UInt8(ascii: "/") { url = url.dropLast() }
                return String(Substring(url))
            },
            shown: { $0.hidingUserInfo })
    }

    /// A path of plain segments between two slashes, or nothing.
    static var uriPrefix: Self {
        Self(
            expectation: "a path of letters, digits, - and _ that begins and ends with a slash, such as /_blobs/",
            parse: { text throws(ValueRefusal) in
                guard !text.isEmpty else { return .some(nil) }
                let segments = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                guard segments.count > 2, segments.first?.isEmpty == true, segments.last?.isEmpty == true,
                    segments.dropFirst().dropLast().allSatisfy({ !$0.isEmpty && $0.allSatisfy(isPlain) })
                else { return nil }
                return text
            })
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static var refused: [UInt8] { Array("?#\"<>\\^`{|}@,".utf8) }
}

extension ValueFormat where Value == [IPNetwork] {
    /// Addresses and networks with commas between them, or nothing.
    static var networks: Self {
        Self(
            expectation: "addresses and networks with commas between them, such as 127.0.0.1, 10.0.0.0/8, fd00::/8",
            parse: { text throws(ValueRefusal) in
                guard !text.isEmpty else { return [] }
                var networks: [IPNetwork] = []
                for part in text.listParts {
                    guard let network = IPNetwork(part) else {
                        throw ValueRefusal(
                            cure:
                                "\(part.hidingUserInfo.quotedForDisplay) is no address or network; give some with commas between them,"
                                + " such as 127.0.0.1, 10.0.0.0/8, fd00::/8, with no bit set behind the prefix")
                    }
                    networks.append(network)
                }
                return networks
            },
            shown: { $0.hidingUserInfo }, takesList: true)
    }
}

extension ValueFormat where Value == CrossOriginPolicy {
    /// Origins with commas between them, `*`, or nothing.
    static var origins: Self {
        Self(
            expectation:
                "* or origins with commas between them, such as https://app.example.org, http://localhost:5173",
            parse: { text throws(ValueRefusal) in text.isEmpty ? CrossOriginPolicy.none : CrossOriginPolicy(text) },
            shown: { $0.hidingUserInfo }, takesList: true)
    }
}

extension String {
    /// What stands between commas, without the blanks around it.
    fileprivate var listParts: [String] {
        utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
            var part = part
            while let byte = part.first, byte == 0x20 || byte == 0x09 { part = part.dropFirst() }
            while let byte = part.last, byte == 0x20 || byte == 0x09 { part = part.dropLast() }
            return String(Substring(part))
        }
    }
}
