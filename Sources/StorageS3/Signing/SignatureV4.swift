import StorageCore

/// Signs requests in their headers: AWS Signature Version 4 as S3 wants it ("Authenticating Requests: Using the Authorization
/// Header" in the API reference of Amazon S3).
///
/// All headers of the request are signed, and the digest of the body with them. Makes no difference between addressing a
/// bucket in the path and in the name of the host: what is signed is the path and the host that will be sent.
struct SignatureV4: Sendable {
    private let credentials: S3Credentials
    private let region: String
    private let service: String
    private let key: SigningKey

    init(credentials: S3Credentials, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
        key = SigningKey(secret: credentials.secretKey, region: region, service: service)
    }

    /// Adds `x-amz-date`, `x-amz-content-sha256`, the session's token and `Authorization`, in place of any that are there.
    ///
    /// A request may be signed again for its next attempt.
    /// - Throws: ``StorageError/Code/internal`` when libcrypto cannot.
    func sign(_ request: inout S3Request, payload: S3Payload, at moment: Timestamp) throws {
        let date = UTCDate(moment)
        request.setHeader("x-amz-date", date.basic)
        request.setHeader("x-amz-content-sha256", payload.text)
        if let token = credentials.sessionToken { request.setHeader("x-amz-security-token", token) }
        request.setHeader("Authorization", try authorization(for: request, payload: payload.text, at: date))
    }

    /// The value of `Authorization` for the request as it stands, whose body has that hash.
    func authorization(for request: S3Request, payload: String, at date: UTCDate) throws -> String {
        let canonical = CanonicalRequest(request, payload: payload)
        let scope = "\(date.day)/\(region)/\(service)/aws4_request"
        let digest = Hexadecimal.encode(try SHA256.hash(canonical.bytes))
        let message = "AWS4-HMAC-SHA256\n\(date.basic)\n\(scope)\n\(digest)"
        let signature = try SHA256.authenticate(Array(message.utf8), key: key.key(of: date.day))
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), "
            + "SignedHeaders=\(canonical.signedHeaders), Signature=\(Hexadecimal.encode(signature))"
    }
}
