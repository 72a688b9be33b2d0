import StorageCore

/// What a signature says of the body: the value of `x-amz-content-sha256`.
struct S3Payload: Equatable, Sendable {
    /// The value of the header.
    let text: String

    private init(text: String) {
        self.text = text
    }

    /// A body of this digest; the service refuses any other.
    static func digest(_ digest: BlobDigest) -> Self { Self(text: digest.hex) }

    /// No body, or one of no bytes.
    static let empty = Self(text: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
}
