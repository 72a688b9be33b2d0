import StorageCore
import StorageS3

/// The parts of a bucket's configuration: what a text must be is decided where it is used.
private typealias Field = S3Configuration.Problem.Field

/// What may be left out has the empty text.
extension ValueFormat where Value == String? {
    /// The address of an S3 server: scheme, host and perhaps a port; nil for the empty text.
    static var optionalEndpoint: Self {
        Self(
            expectation:
                "http:// or https://, a host and perhaps a port, without a path, such as https://s3.example.org",
            parse: { text throws(ValueRefusal) in
                guard !text.isEmpty else { return .some(nil) }
                guard Field.endpoint.complaint(about: text) == nil else { return nil }
                return text.withoutLastSlash
            },
            shown: { $0.hidingUserInfo })
    }

    /// The name of a bucket; nil for the empty text. Capitals and `_` are allowed by servers other than Amazon's.
    static var optionalBucket: Self {
        Self(expectation: "the name of a bucket: 3 to 63 letters, digits, '.', '-' or '_'") {
            text throws(ValueRefusal) in
            guard !text.isEmpty else { return .some(nil) }
            guard Field.bucket.complaint(about: text) == nil else { return nil }
            return text
        }
    }
}

extension ValueFormat where Value == String {
    /// The name of a region.
    static var region: Self {
        Self(expectation: "the name of a region, such as us-east-1") { text throws(ValueRefusal) in
            Field.region.complaint(about: text) == nil ? text : nil
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
            Field.prefix.complaint(about: text) == nil ? text.withoutLastSlash : nil
        }
    }
}

extension ValueFormat where Value == SecretText? {
    /// The id of an access key, which stands in a field of every request with `/` and `,` behind it; nil for the empty text.
    static var accessKey: Self { secret(.accessKey, "at most 256 bytes of visible ASCII without '/' and ','") }

    /// A secret that is the value of a field; nil for the empty text.
    static var fieldSecret: Self { secret(.secretKey, "at most 8192 bytes of visible ASCII") }

    private static func secret(_ field: Field, _ expectation: String) -> Self {
        Self(expectation: expectation) { text throws(ValueRefusal) in
            guard !text.isEmpty else { return .some(nil) }
            guard field.complaint(about: text) == nil else { return nil }
            return SecretText(bytes: Array(text.utf8))
        }
    }
}

extension String {
    fileprivate var withoutLastSlash: String {
        utf8.last == UInt8(ascii: "/") ? String(Substring(utf8.dropLast())) : self
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
