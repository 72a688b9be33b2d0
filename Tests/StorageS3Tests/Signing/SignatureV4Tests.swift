import StorageCore
import Testing

@testable import StorageS3

@Suite("Signature")
struct SignatureV4Tests {
    /// A request of the examples in the API reference of Amazon S3, "Signature Calculations for the Authorization Header".
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: S3Request
        var payload = S3Payload.empty
        let headers: String
        let signature: String
    }

    private static let host = "examplebucket.s3.amazonaws.com"
    /// 2013-05-24, midnight
    private static let then = Timestamp(microseconds: 1_369_353_600_000_000)
    private static let credentials = S3Credentials(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

    private static let examples: [Example] = [
        Example(
            testDescription: "GET of a range",
            request: S3Request(
                .get, authority: host, path: "/test.txt".utf8, headers: [.init("Range", "bytes=0-9")]),
            headers: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Example(
            testDescription: "PUT of an object",
            request: S3Request(
                .put, authority: host, path: "/test$file.text".utf8,
                headers: [
                    .init("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                    .init("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ]),
            payload: .digest(digest("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")),
            headers: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Example(
            testDescription: "GET of a subresource",
            request: S3Request(.get, authority: host, path: "/".utf8, query: [.init("lifecycle")]),
            headers: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Example(
            testDescription: "GET of a list",
            request: S3Request(
                .get, authority: host, path: "/".utf8, query: [.init("prefix", "J"), .init("max-keys", "2")]),
            headers: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test("is that of the reference's examples", arguments: examples)
    func signsExamples(example: Example) throws {
        var request = example.request
        let signer = SignatureV4(credentials: Self.credentials, region: "us-east-1")
        try signer.sign(&request, payload: example.payload, at: Self.then)
        let expected =
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            + "SignedHeaders=\(example.headers), Signature=\(example.signature)"
        #expect(request.header("authorization") == expected)
        #expect(request.header("x-amz-date") == "20130524T000000Z")
        #expect(request.header("x-amz-content-sha256") == example.payload.text)
    }

    /// A request of the test suite of Signature Version 4, for the service "service" and without headers of S3.
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var method = S3Request.Method.get
        var path = "/"
        var query: [S3Request.Parameter] = []
        var headers: [S3Request.Header] = []
        var body: [UInt8] = []
        let signature: String
    }

    private static let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    private static let form = Array("Param1=value1".utf8)

    private static let vectors: [Vector] = [
        Vector(
            testDescription: "get-vanilla",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            testDescription: "get-header-key-duplicate",
            headers: [.init("My-Header1", "value2"), .init("My-Header1", "value2"), .init("My-Header1", "value1")],
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        Vector(
            testDescription: "get-header-value-order",
            headers: ["value4", "value1", "value3", "value2"].map { .init("My-Header1", $0) },
            signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
        Vector(
            testDescription: "get-header-value-trim",
            headers: [.init("My-Header1", " value1"), .init("My-Header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            testDescription: "get-unreserved", path: "/" + unreserved,
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        Vector(
            testDescription: "get-utf8", path: "/\u{1234}",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Vector(
            testDescription: "get-vanilla-query-order-key",
            query: [.init("Param1", "value2"), .init("Param1", "Value1")],
            signature: "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"),
        Vector(
            testDescription: "get-vanilla-query-order-key-case",
            query: [.init("Param2", "value2"), .init("Param1", "value1")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            testDescription: "get-vanilla-query-order-value",
            query: [.init("Param1", "value2"), .init("Param1", "value1")],
            signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"),
        Vector(
            testDescription: "get-vanilla-query-unreserved", query: [.init(unreserved, unreserved)],
            signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        Vector(
            testDescription: "get-vanilla-utf8-query", query: [.init("\u{1234}", "bar")],
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        Vector(
            testDescription: "post-vanilla", method: .post,
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            testDescription: "post-header-value-case", method: .post, headers: [.init("My-Header1", "VALUE1")],
            signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        Vector(
            testDescription: "post-vanilla-query", method: .post, query: [.init("Param1", "value1")],
            signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        Vector(
            testDescription: "post-x-www-form-urlencoded", method: .post,
            headers: [.init("Content-Type", "application/x-www-form-urlencoded")], body: form,
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ]

    @Test("is that of the general test suite", arguments: vectors)
    func signsVectors(vector: Vector) throws {
        let credentials = S3Credentials(
            accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        let signer = SignatureV4(credentials: credentials, region: "us-east-1", service: "service")
        let request = S3Request(
            vector.method, authority: "example.amazonaws.com", path: vector.path.utf8, query: vector.query,
            headers: vector.headers + [.init("X-Amz-Date", "20150830T123600Z")])
        let payload = Hexadecimal.encode(try SHA256.hash(vector.body))
        let date = try #require(UTCDate(iso8601: "20150830T123600Z".utf8))
        let authorization = try signer.authorization(for: request, payload: payload, at: date)
        #expect(authorization.hasSuffix("Signature=\(vector.signature)"))
    }

    @Test("replaces the one before it when a request is sent again")
    func signsAgain() throws {
        let credentials = S3Credentials(accessKey: "key", secretKey: "secret", sessionToken: "token")
        let signer = SignatureV4(credentials: credentials, region: "us-east-1")
        let request = S3Request(.get, authority: Self.host, path: "/a".utf8, headers: [.init("range", "bytes=0-9")])
        var twice = request
        try signer.sign(&twice, payload: .digest(Self.digest(String(repeating: "ab", count: 32))), at: Self.then)
        let tomorrow = Timestamp(microseconds: Self.then.microseconds + 86_400_000_000)
        try signer.sign(&twice, payload: .empty, at: tomorrow)
        var once = request
        try signer.sign(&once, payload: .empty, at: tomorrow)
        #expect(twice == once)
        #expect(once.headers.count == 5)
        #expect(once.header("X-AMZ-SECURITY-TOKEN") == "token")
    }

    @Test("follows the day: a key that was kept is not used for another")
    func days() throws {
        let key = SigningKey(secret: "secret", region: "us-east-1", service: "s3")
        let first = try key.key(of: "20130524")
        let second = try key.key(of: "20130525")
        #expect(first != second)
        #expect(try key.key(of: "20130524") == first)
        #expect(try key.key(of: "20130525") == second)
    }

    @Test("leaves out what is changed on the way, and nothing else")
    func unsignedHeaders() throws {
        let headers = ["Connection", "Expect", "Transfer-Encoding", "User-Agent", "X-Amzn-Trace-Id", "Authorization"]
        let request = S3Request(
            .put, authority: Self.host, path: "/a".utf8,
            headers: (headers + ["Content-Length", "If-None-Match", "Accept"]).map { .init($0, "1") })
        let canonical = CanonicalRequest(request, payload: "")
        #expect(canonical.signedHeaders == "accept;content-length;host;if-none-match")
    }

    @Test("is over the target that is sent: encoded once, nothing normalised, the query in order")
    func target() {
        let request = S3Request(
            .get, authority: Self.host, path: "/a//b/../ä +%2F*~".utf8,
            query: [.init("uploads"), .init("prefix", "a/b c+&="), .init("list-type", "2")])
        #expect(
            request.target
                == "/a//b/../%C3%A4%20%2B%252F%2A~?list-type=2&prefix=a%2Fb%20c%2B%26%3D&uploads=")
    }

    @Test("is made with secrets that no text of the credentials shows")
    func secrets() {
        let credentials = S3Credentials(accessKey: "key", secretKey: "s3cr3t", sessionToken: "t0k3n")
        struct Outer { let credentials: S3Credentials }
        var dumped = ""
        dump(Outer(credentials: credentials), to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), "\(Outer(credentials: credentials))", dumped] {
            #expect(!text.contains("s3cr3t") && !text.contains("t0k3n"))
        }
    }

    private static func digest(_ hex: String) -> BlobDigest {
        BlobDigest(hex: hex.utf8) ?? .zero
    }
}
