import HTTPTypes
import HummingbirdCore
import NIOCore
import Testing

@testable import StorageHTTP

@Suite(.timeLimit(.minutes(1)))
struct KeepAliveTests {
    @Test func manyRequestsShareAConnection() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                for number in 1...100 {
                    try await client.send("GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.status == 200)
                    #expect(answer.text == "/\(number) 0")
                    #expect(answer["Connection"] == nil)
                }
            }
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                let head = "HTTP/1.1\r\nHost: x\r\n"
                var requests = ""
                for number in 1...500 {
                    requests += "POST /\(number) \(head)Content-Length: 3\r\n\r\nabc"
                    requests += "POST /c\(number) \(head)Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
                }
                requests += "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                try await client.send(requests)
                let answers = try await client.remainingAnswers()
                let expected = (1...500).flatMap { ["/\($0) 3", "/c\($0) 4"] } + ["/last 0"]
                #expect(answers.map(\.text) == expected)
            }
        }
    }

    @Test func pipelinedRequestsAreAnsweredAlthoughTheClientHasFinishedSending() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(
                    String(repeating: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", count: 20))
                client.finishSending()
                let answers = try await client.remainingAnswers()
                #expect(answers.count == 20)
            }
        }
    }

    /// More than is read at once, and all of it there with the end behind it before the first answer.
    @Test func manyPipelinedRequestsBehindASlowOneAreAnsweredInOrder() async throws {
        let gate = AsyncStream<Void>.makeStream()
        try await ConnectionServer.with(responder: { request, writer, _ in
            if request.uri.path == "/first" { for await _ in gate.stream {} }
            try await Routes.write(.ok, request.uri.path, to: writer)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                let requests = (1...2_000).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
                try await client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n" + requests)
                client.finishSending()
                gate.continuation.finish()
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["/first"] + (1...2_000).map { "/\($0)" })
            }
        }
    }

    /// What a request says about its connection, and whether a second request on it is answered.
    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: x\r\n", true),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n", true),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: CLOSE\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, \t Close ,bar\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo\r\nConnection: close\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n", true),
        ("GET / HTTP/1.0\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", false),
        ("GET /close HTTP/1.1\r\nHost: x\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n", false),
    ])
    func connectionFieldIsHonoured(request: String, isPersistent: Bool) async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(request + "\r\n" + "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == Array(repeating: 200, count: isPersistent ? 2 : 1))
                #expect(
                    answers.first?["Connection"]
                        == (isPersistent ? (request.isVersion10 ? "keep-alive" : nil) : "close"))
                #expect(answers.first?.version == (request.isVersion10 ? "HTTP/1.0" : "HTTP/1.1"))
            }
        }
    }

    @Test func answerWithoutLengthToVersion10IsNotChunkedAndEndsWithTheConnection() async throws {
        try await ConnectionServer.with(responder: { _, writer, _ in
            var body = try await writer.writeHead(.init(status: .ok))
            try await body.write(ByteBuffer(string: "streamed"))
            try await body.finish(nil)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer["Transfer-Encoding"] == nil)
                #expect(answer["Connection"] == "close")
                #expect(answer.text == "streamed")
            }
        }
    }

    @Test(arguments: [true, false])
    func headIsAnsweredWithoutContent(hasLength: Bool) async throws {
        try await ConnectionServer.with(responder: { _, writer, _ in
            var body = try await writer.writeHead(
                .init(status: .ok, headerFields: hasLength ? [.contentLength: "8"] : [:]))
            try await body.write(ByteBuffer(string: "streamed"))
            try await body.finish(nil)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                for _ in 1...3 {
                    try await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await client.answer(isHead: true)
                    #expect(answer.status == 200)
                    #expect(answer["Content-Length"] == (hasLength ? "8" : nil))
                }
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.text == "streamed")
            }
        }
    }

    @Test func emptyLinesBeforeARequestAreIgnored() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                for _ in 1...2 {
                    try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na\r\n")
                    let answer = try await client.answer()
                    #expect(answer.text == "/ 1")
                }
            }
        }
    }
}

extension String {
    fileprivate var isVersion10: Bool { contains("HTTP/1.0") }
}
