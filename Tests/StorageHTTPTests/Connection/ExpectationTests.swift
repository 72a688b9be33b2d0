import HTTPTypes
import HummingbirdCore
import NIOCore
import Testing

@testable import StorageHTTP

/// `Expect: 100-continue` and answers that come before the body was read.
@Suite(.timeLimit(.minutes(1)))
struct ExpectationTests {
    private static let expecting = "Host: x\r\nExpect: 100-continue\r\n"

    @Test(arguments: ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"])
    func continueIsSentBeforeTheBody(framing: String) async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                for _ in 1...3 {
                    try await client.send("PUT /a HTTP/1.1\r\n" + Self.expecting + framing + "\r\n")
                    let interim = try await client.answer()
                    #expect(interim.status == 100)
                    try await client.send(framing.hasPrefix("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.status == 200)
                    #expect(answer.text == "/a 5")
                    #expect(answer["Connection"] == nil)
                }
            }
        }
    }

    /// Whoever expects nothing, has no body, or speaks 1.0 gets no interim answer.
    @Test(arguments: [
        "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        "PUT /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /a HTTP/1.0\r\nExpect: whatever\r\nContent-Length: 5\r\n\r\nhello",
    ])
    func continueIsSentToNobodyElse(request: String) async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(request)
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [200])
            }
        }
    }

    @Test func refusedExpectationGetsTheRefusalAlone() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("PUT /refuse HTTP/1.1\r\n" + Self.expecting + "Content-Length: 5\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [413])
                #expect(answers.first?["Connection"] == "close")
            }
        }
    }

    @Test func smallUnreadBodyLeavesTheConnectionUsable() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                for _ in 1...3 {
                    try await client.send("PUT /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.text == "unread")
                    #expect(answer["Connection"] == nil)
                    try await client.send(String(repeating: "x", count: 1_024))
                }
                try await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
                let answer = try await client.answer()
                #expect(answer.text == "/a 2")
            }
        }
    }

    @Test(arguments: ["Content-Length: 104857600\r\n", "Transfer-Encoding: chunked\r\n"])
    func largeUnreadBodyEndsTheConnection(framing: String) async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("PUT /unread HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["unread"])
                #expect(answers.first?["Connection"] == "close")
            }
        }
    }

    /// The client goes on sending for a while after the answer, as clients do that do not look before they have sent
    /// all.
    @Test(arguments: [1, 15, 50])
    func earlyRefusalReachesAClientThatKeepsSending(mebibytes: Int) async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(
                    "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: \(mebibytes << 20)\r\n\r\n")
                let send = client.sender
                async let sending: Int = { @Sendable in
                    let chunk = ByteBuffer(repeating: 0x61, count: 1 << 20)
                    for sent in 0..<mebibytes {
                        do { try await send(chunk) } catch { return sent }
                    }
                    return mebibytes
                }()
                // Reading to the end throws when a reset comes in place of it.
                let answer = try await client.answer()
                #expect(answer.status == 413)
                #expect(answer["Connection"] == "close")
                #expect(answer.text == "too large")
                client.channel.close(promise: nil)
                _ = await sending
            }
        }
    }

    @Test func drainIsBounded() async throws {
        var limits = ConnectionLimits()
        limits.drainBytes = 1 << 20
        limits.drainTime = .milliseconds(300)
        try await ConnectionServer.with(limits: limits) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 413)
                // Never looks at the answer's end; the server has to end it.
                await #expect(throws: (any Error).self) {
                    let chunk = ByteBuffer(repeating: 0x61, count: 1 << 20)
                    while true { try await client.send(chunk) }
                }
            }
        }
    }

    @Test func bodyThatBreaksInTheMiddleIsAnsweredOnce() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                try await client.send("nonsense\r\n")
                try await client.send(String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: 3))
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [400])
                #expect(answers.first?.text == "/a 5")
                #expect(answers.first?["Connection"] == "close")
            }
        }
    }

    /// The route has answered while the body was still coming; when the body breaks, there is nothing left to say.
    @Test func bodyThatBreaksBehindItsAnswerIsNotAnsweredAgain() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(
                    "PUT /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 200)
                try? await client.send("nonsense\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.isEmpty)
            }
        }
    }

    @Test(arguments: [
        "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello",
        "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ])
    func bodyThatEndsEarlyIsNeverTakenForAWholeOne(request: String) async throws {
        let errors = AsyncStream<any Error>.makeStream()
        try await ConnectionServer.with(responder: { request, writer, _ in
            do {
                for try await _ in request.body {}
                errors.continuation.finish()
            } catch {
                errors.continuation.yield(error)
            }
            try await Routes.write(.badRequest, "short", to: writer)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(request)
                client.finishSending()
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [400])
            }
            var iterator = errors.stream.makeAsyncIterator()
            let error = await iterator.next(isolation: nil)
            #expect(error as? RequestBodyError == .endedEarly)
        }
    }

    @Test func routeMayAnswerWhileTheBodyIsStillComing() async throws {
        try await ConnectionServer.with(responder: { request, writer, _ in
            var answer = try await writer.writeHead(.init(status: .ok))
            for try await chunk in request.body {
                try await answer.write(ByteBuffer(string: "got \(chunk.readableBytes)\n"))
            }
            try await answer.finish(nil)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
                for _ in 1...2 {
                    let seen = client.unread.readableBytes
                    try await client.send(String(repeating: "x", count: 100_000))
                    while client.unread.readableBytes == seen { try await client.receiveMore() }
                }
                let answer = try await client.answer()
                #expect(answer.status == 200)
                #expect(answer.isComplete)
                let sizes = answer.text.split(separator: "\n").compactMap { Int($0.dropFirst(4)) }
                #expect(sizes.reduce(0, +) == 200_000)
            }
        }
    }
}
