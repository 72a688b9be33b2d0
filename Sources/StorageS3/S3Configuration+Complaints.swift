import StorageCore

extension S3Configuration.Problem.Field {
    /// What is wrong with a text for this part, as the end of a sentence that begins with its name; nil when it can be used.
    ///
    /// Repeats nothing of it. Judges the text alone: a bucket may still be none that a host can be named after.
    package func complaint(about text: String) -> String? {
        switch self {
        case .endpoint: S3Endpoint.complaint(about: text)
        case .region: Self.complaint(aboutRegion: text)
        case .bucket: Self.complaint(aboutBucket: text)
        case .prefix: Self.complaint(aboutPrefix: text)
        case .accessKey: Self.complaint(aboutAccessKey: text)
        case .secretKey, .sessionToken: Self.complaint(aboutSecret: text)
        case .pathStyle: nil
        }
    }

    private static func complaint(aboutRegion region: String) -> String? {
        guard (1...64).contains(region.utf8.count),
            region.utf8.allSatisfy({ $0.isAlphanumeric || $0.isDashOrUnderscore })
        else { return "must be a name of letters, digits and dashes such as us-east-1" }
        return nil
    }

    private static func complaint(aboutBucket bucket: String) -> String? {
        let bytes = bucket.utf8
        guard (3...63).contains(bytes.count), bytes.first?.isAlphanumeric == true, bytes.last?.isAlphanumeric == true,
            bytes.allSatisfy({ $0.isAlphanumeric || $0.isDashOrUnderscore || $0 == UInt8(ascii: ".") })
        else {
            return
                "must be the name of a bucket: 3 to 63 letters, digits, dots and dashes, a letter or digit at either end"
        }
        return nil
    }

    private static func complaint(aboutPrefix prefix: String) -> String? {
        var bytes = Array(prefix.utf8)
        guard !bytes.isEmpty else { return nil }
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isSound = parts.allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
                && part.allSatisfy { $0.isAlphanumeric || $0.isDashOrUnderscore || $0 == UInt8(ascii: ".") }
        }
        guard isSound, bytes.count <= 512 else {
            return
                "must be at most 512 letters, digits, dots, underscores and dashes in parts with a slash between them, "
                + "none of them empty, . or .."
        }
        return nil
    }

    private static func complaint(aboutAccessKey key: String) -> String? {
        let isSound = key.utf8.allSatisfy {
            (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ",")
        }
        guard (1...256).contains(key.utf8.count), isSound else {
            return "must be printable ASCII without spaces, slashes and commas"
        }
        return nil
    }

    private static func complaint(aboutSecret secret: String) -> String? {
        guard (1...8_192).contains(secret.utf8.count), secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "must be printable ASCII without spaces"
        }
        return nil
    }
}

extension UInt8 {
    var isUpperCase: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isAlphanumeric: Bool { isUpperCase || isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isDashOrUnderscore: Bool { self == UInt8(ascii: "-") || self == UInt8(ascii: "_") }
}
