import NIOCore
import StorageCore
import Testing

@testable import StorageS3

@Suite("Beside a second signer", .enabled(if: SecondSigner.isNeeded, "no Python with botocore"))
struct SecondSignerTests {
    private static let count = 3_000

    @Test("every signature is the same, for requests of all kinds")
    func agrees() throws {
        var random = RandomRequests(generator: SeededGenerator(seed: .random(in: 0...UInt64.max)))
        let requests = (0..<Self.count).map { _ in random.next() }
        let answers = try SecondSigner.sign(requests.map(\.question))
        try #require(answers.count == requests.count)
        for (request, answer) in zip(requests, answers) {
            let ours = try request.signed()
            #expect(ours == answer, "\(request.question)")
        }
    }
}

/// A request as both signers are given it.
private struct RandomRequest {
    let request: S3Request
    let credentials: S3Credentials
    let region: String
    let moment: Timestamp
    let body: [UInt8]

    func signed() throws -> SecondSigner.Answer {
        var signed = request
        let payload = S3Payload.digest(try SHA256.digest(of: ByteBuffer(bytes: body)))
        try SignatureV4(credentials: credentials, region: region).sign(&signed, payload: payload, at: moment)
        let path = signed.target.split(separator: "?", maxSplits: 1).first.map(String.init)
        return SecondSigner.Answer(authorization: signed.header("Authorization") ?? "", path: path ?? "")
    }

    var question: SecondSigner.Question {
        SecondSigner.Question(
            accessKey: credentials.accessKey, secretKey: credentials.secretKey, sessionToken: credentials.sessionToken,
            region: region, seconds: moment.seconds, method: request.method.rawValue, authority: request.authority,
            path: Hexadecimal.encode(request.path), query: request.query.map { [$0.name, $0.value] },
            headers: request.headers.map { [$0.name, $0.value] }, body: Hexadecimal.encode(body))
    }
}

private struct RandomRequests {
    var generator: SeededGenerator

    mutating func next() -> RandomRequest {
        let methods: [S3Request.Method] = [.get, .head, .put, .post, .delete]
        let request = S3Request(
            methods[generator.number(below: methods.count)], authority: authority(), path: path(), query: query(),
            headers: headers())
        let token = generator.number(below: 3) == 0 ? printable(1...400) : nil
        return RandomRequest(
            request: request,
            credentials: S3Credentials(
                accessKey: word(1...20), secretKey: printable(1...64), sessionToken: token),
            region: word(1...16),
            moment: Timestamp(microseconds: Int64.random(in: 0...4_000_000_000_000_000, using: &generator)),
            body: bytes(0...200))
    }

    private mutating func authority() -> String {
        let name = word(1...20).lowercased() + (generator.number(below: 2) == 0 ? ".s3.example.net" : "")
        return generator.number(below: 2) == 0 ? name : "\(name):\(1_024 + generator.number(below: 60_000))"
    }

    /// Keys of ours, and any bytes at all.
    private mutating func path() -> [UInt8] {
        let pieces = ["store/ab/", "..", "//", "/./", "%2F", "+", " ", "ä", "e\u{301}", "~", "'()*!", "?", "#", "&="]
        var path = [UInt8(ascii: "/")]
        for _ in 0..<generator.number(below: 6) {
            path +=
                generator.number(below: 2) == 0
                ? bytes(0...12) : Array((pieces.randomElement(using: &generator) ?? "").utf8)
        }
        return path
    }

    private mutating func query() -> [S3Request.Parameter] {
        let names = [
            "prefix", "list-type", "uploads", "partNumber", "uploadId", "max-keys", "X", "x", "a b", "ä", "a", "a-",
        ]
        return (0..<generator.number(below: 6)).map { _ in
            .init(names.randomElement(using: &generator) ?? "", generator.number(below: 3) == 0 ? "" : text(0...12))
        }
    }

    private mutating func headers() -> [S3Request.Header] {
        let names = [
            "Range", "If-Match", "If-None-Match", "Content-Type", "Content-MD5", "x-amz-meta-a", "X-Amz-Meta-B",
            "Date2",
            "User-Agent", "Expect", "content-length", "ACCEPT",
        ]
        return (0..<generator.number(below: 5)).map { _ in
            .init(
                names.randomElement(using: &generator) ?? "",
                "  ".prefix(generator.number(below: 3)) + printable(0...30))
        }
    }

    private mutating func bytes(_ counts: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: counts, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
    }

    private mutating func printable(_ counts: ClosedRange<Int>) -> String {
        String(decoding: bytes(counts).map { 0x20 + $0 % 0x5F }, as: UTF8.self)
    }

    private mutating func word(_ counts: ClosedRange<Int>) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        return String(decoding: bytes(counts).map { letters[Int($0) % letters.count] }, as: UTF8.self)
    }

    private mutating func text(_ counts: ClosedRange<Int>) -> String {
        let scalars = (0..<Int.random(in: counts, using: &generator)).compactMap { _ in
            Unicode.Scalar(UInt32.random(in: 1...0x2FFF, using: &generator))
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
