import NIOCore
import Testing

@testable import StorageHTTP

/// Requests on which two servers in a chain could disagree about where a message ends. Each is sent with a well-formed
/// request behind it: the number of answers shows what this server took for a request.
@Suite(.timeLimit(.minutes(1)))
struct MessageFramingTests {
    private static let follower = "GET /follower HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let request: String
        let statuses: [Int]

        var testDescription: String { name }

        /// Refused by the connection, which then ends.
        static func refused(_ name: String, _ request: String, status: Int = 400) -> Case {
            Case(name: name, request: request, statuses: [status])
        }

        /// Taken for exactly one request.
        static func accepted(_ name: String, _ request: String) -> Case {
            Case(name: name, request: request, statuses: [200, 200])
        }
    }

    private static let head = "POST / HTTP/1.1\r\nHost: x\r\n"
    private static let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"

    static let lengths: [Case] = [
        .accepted("length", head + "Content-Length: 3\r\n\r\nabc"),
        .accepted("length behind blanks", head + "Content-Length: \t  3\r\n\r\nabc"),
        .accepted("length 0", head + "Content-Length: 0\r\n\r\n"),
        .accepted("leading zeros", head + "Content-Length: 0003\r\n\r\nabc"),
        // Permitted, but more than the decoder below takes; no client sends it.
        .refused("length before a blank", head + "Content-Length: 3 \r\n\r\nabc"),
        .refused("plus sign", head + "Content-Length: +3\r\n\r\nabc"),
        .refused("minus sign", head + "Content-Length: -3\r\n\r\nabc"),
        .refused("minus zero", head + "Content-Length: -0\r\n\r\n"),
        .refused("hexadecimal", head + "Content-Length: 0x3\r\n\r\nabc"),
        .refused("list", head + "Content-Length: 3, 3\r\n\r\nabc"),
        .refused("two equal lengths", head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        .refused("two lengths", head + "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc"),
        .refused("empty length", head + "Content-Length:\r\n\r\nabc"),
        .refused("blank length", head + "Content-Length:  \r\n\r\nabc"),
        .refused("fraction", head + "Content-Length: 3.0\r\n\r\nabc"),
        .refused("digits apart", head + "Content-Length: 3 3\r\n\r\nabc"),
        .refused("fullwidth digit", head + "Content-Length: \u{FF13}\r\n\r\nabc"),
        .refused("length beyond 64 bits", head + "Content-Length: 18446744073709551619\r\n\r\nabc"),
        .refused("length beyond 63 bits", head + "Content-Length: 9223372036854775808\r\n\r\nabc"),
        .refused("folded length", head + "Content-Length:\r\n 3\r\n\r\nabc"),
        .refused("blank before the colon", head + "Content-Length : 3\r\n\r\nabc"),
    ]

    static let encodings: [Case] = [
        .accepted("chunked", chunked + "3\r\nabc\r\n0\r\n\r\n"),
        .accepted("chunked in capitals", head + "Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        .accepted("chunk extension", chunked + "3;name=value\r\nabc\r\n0\r\n\r\n"),
        .accepted("trailer", chunked + "3\r\nabc\r\n0\r\nDigest: x\r\n\r\n"),
        .refused(
            "encoding and length", head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ),
        .refused(
            "length and encoding", head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ),
        .refused("two encodings", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        .refused("encoding list", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        .refused("chunked not last", head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        .refused("identity", head + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc"),
        .refused("unknown encoding", head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        .refused("quoted encoding", head + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
        .refused("parameter", head + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
        .refused("empty encoding", head + "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
        .refused("vertical tab", head + "Transfer-Encoding: \u{0B}chunked\r\n\r\n0\r\n\r\n"),
        .refused("folded encoding", head + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
        .refused("blank in the name", head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        .refused("version 1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    /// The head is right, so a route has the request; it answers 400 when the body breaks.
    static let chunks: [Case] = [
        .refused("size beyond 64 bits", chunked + "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        .refused("size with sign", chunked + "+3\r\nabc\r\n0\r\n\r\n"),
        .refused("size with prefix", chunked + "0x3\r\nabc\r\n0\r\n\r\n"),
        .refused("size missing", chunked + "\r\nabc\r\n0\r\n\r\n"),
        .refused("size not a number", chunked + "xyz\r\nabc\r\n0\r\n\r\n"),
        .refused("blank behind the size", chunked + "3 \r\nabc\r\n0\r\n\r\n"),
        .refused("longer than its size", chunked + "3\r\nabcd\r\n0\r\n\r\n"),
        .refused("bare line feed behind the size", chunked + "3\nabc\r\n0\r\n\r\n"),
        .refused("bare line feed behind the data", chunked + "3\r\nabc\n0\r\n\r\n"),
        .refused("bare carriage return", chunked + "3\rabc\r\n0\r\n\r\n"),
        .refused("line feed in an extension", chunked + "3;a\nb\r\nabc\r\n0\r\n\r\n"),
        .refused("trailer without colon", chunked + "3\r\nabc\r\n0\r\ntrailer\r\n\r\n"),
        .refused("extension flood", chunked + "3;" + String(repeating: "x", count: 400_000) + "\r\nabc\r\n0\r\n\r\n"),
    ]

    static let heads: [Case] = [
        .accepted("plain", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .accepted("host with port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
        .accepted("absolute target", "GET http://y/a?b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .accepted("asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
        .accepted("1.0 without host", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        .refused("no host", "GET / HTTP/1.1\r\n\r\n"),
        .refused("two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
        .refused("host with a user", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n"),
        .refused("host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
        .refused("host with a blank", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n"),
        .refused("bare line feed", "GET / HTTP/1.1\nHost: x\n\n"),
        .refused("line feed in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n"),
        .refused("carriage return in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n"),
        .refused("carriage return in the target", "GET /\r/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"),
        .refused("NUL in a name", "GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n"),
        .refused("DEL in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: \u{7F}\r\n\r\n"),
        .refused("folded value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
        .refused("field without name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n"),
        .refused("field without colon", "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n"),
        .refused("blank before the first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
        .refused("name beyond ASCII", "GET / HTTP/1.1\r\nHost: x\r\n\u{C4}: b\r\n\r\n"),
        .refused("target beyond ASCII", "GET /\u{C4} HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("blank in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("tab in the target", "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("target without slash", "GET a HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("asterisk for GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("absolute target without host", "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("foreign scheme", "GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"),
        .refused("unknown method", "FROB / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("method in lower case", "get / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("no version", "GET /\r\nHost: x\r\n\r\n"),
        .refused("version 1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
        .refused("version 0.9", "GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
        .refused("version 2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        .refused("version 11", "GET / HTTP/1.11\r\nHost: x\r\n\r\n"),
        .refused("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .refused("TLS", "\u{16}\u{03}\u{01}\u{02}\0\u{01}\0\u{01}\u{FC}\u{03}\u{03}\r\n\r\n"),
        .refused("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n"),
        .refused("unknown expectation", head + "Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", status: 417),
        .refused(
            "too many fields", "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: b\r\n", count: 300) + "\r\n",
            status: 431),
        .refused(
            "large field", "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "b", count: 70_000) + "\r\n\r\n",
            status: 431),
        .refused(
            "many fields, large together",
            "GET / HTTP/1.1\r\nHost: x\r\n"
                + String(repeating: "A: " + String(repeating: "b", count: 1_000) + "\r\n", count: 100) + "\r\n",
            status: 431),
        .refused(
            "long target", "GET /" + String(repeating: "a", count: 20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", status: 414
        ),
        .refused(
            "header of 1 MiB", "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "b", count: 1 << 20) + "\r\n\r\n",
            status: 431),
        .refused(
            "target of 1 MiB", "GET /" + String(repeating: "a", count: 1 << 20) + " HTTP/1.1\r\nHost: x\r\n\r\n",
            status: 414),
        .refused("blank lines without end", String(repeating: "\r\n", count: 1 << 19), status: 431),
    ]

    @Test(arguments: lengths) func contentLength(_ example: Case) async throws { try await check(example) }
    @Test(arguments: encodings) func transferEncoding(_ example: Case) async throws { try await check(example) }
    @Test(arguments: chunks) func chunkSyntax(_ example: Case) async throws { try await check(example) }
    @Test(arguments: heads) func requestHead(_ example: Case) async throws { try await check(example) }

    /// The same, but every byte arrives on its own.
    @Test(arguments: lengths + encodings + heads.prefix(40))
    func splitIntoBytes(_ example: Case) async throws {
        try await check(example, pieces: example.request.utf8.map { ByteBuffer(bytes: [$0]) })
    }

    private func check(_ example: Case, pieces: [ByteBuffer]? = nil) async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                let send = client.sender
                async let sending: Void = { @Sendable in
                    for piece in pieces ?? [ByteBuffer(string: example.request)] { try await send(piece) }
                    try await send(ByteBuffer(string: Self.follower))
                }()
                let answers = try await client.remainingAnswers()
                // The server may have ended the connection before all was sent.
                try? await sending
                #expect(answers.map(\.status) == example.statuses)
                #expect(answers.last?["Connection"] == "close")
                if let answer = answers.first, example.statuses.count == 1, answer["Content-Type"] != nil {
                    #expect(answer["Content-Type"] == "application/problem+json")
                    #expect(answer.isComplete)
                }
            }
        }
    }

    @Test func pipelinedGarbageIsAnsweredBehindTheRequestBeforeIt() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(
                    "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n\u{1}garbage\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [200, 200, 400])
            }
        }
    }

    @Test func manyConnectionsWithFloodsLeaveTheServerAlive() async throws {
        try await ConnectionServer.with { server in
            let flood = "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: b\r\n", count: 100_000)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...20 {
                    group.addTask {
                        try await RawClient.connect(port: server.port) { client in
                            let send = client.sender
                            async let sending: Void = send(ByteBuffer(string: flood))
                            let answer = try await client.answer()
                            try? await sending
                            return answer.status
                        }
                    }
                }
                for try await status in group { #expect(status == 431) }
            }
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 200)
            }
        }
    }
}
