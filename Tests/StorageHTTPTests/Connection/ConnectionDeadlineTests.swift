import HTTPTypes
import HummingbirdCore
import NIOCore
import Testing

@testable import StorageHTTP

/// Clients that are slow, with limits small enough to see them act. Only lower bounds and orders of magnitude are
/// asserted: a busy machine may be late, but nothing may come early.
@Suite(.timeLimit(.minutes(1)))
struct ConnectionDeadlineTests {
    private static func limits(_ change: (inout ConnectionLimits) -> Void) -> ConnectionLimits {
        var limits = ConnectionLimits()
        change(&limits)
        return limits
    }

    @Test func silentConnectionIsClosedWithoutAWord() async throws {
        try await ConnectionServer.with(limits: Self.limits { $0.headerTimeout = .milliseconds(300) }) { server in
            let began = ContinuousClock.now
            try await RawClient.connect(port: server.port) { client in
                let extra = try await client.waitForEnd()
                #expect(extra == 0)
                #expect(began.duration(to: .now) >= .milliseconds(290))
            }
        }
    }

    /// Bytes keep coming, and each comes soon, but the head does not end.
    @Test func trickledHeadIsAnsweredWith408() async throws {
        try await ConnectionServer.with(limits: Self.limits { $0.headerTimeout = .seconds(3) }) { server in
            try await RawClient.connect(port: server.port) { client in
                let began = ContinuousClock.now
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\nA: ")
                let send = client.sender
                async let sending: Void = { @Sendable in
                    while true {
                        try await send(ByteBuffer(string: "b"))
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }()
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [408])
                #expect(answers.first?["Connection"] == "close")
                #expect(answers.first?.text.contains("\"code\":\"request_timeout\"") == true)
                #expect(began.duration(to: .now) >= .milliseconds(2_990))
                client.channel.close(promise: nil)
                try? await sending
            }
        }
    }

    @Test func idleConnectionIsClosedAfterItsAnswer() async throws {
        let limits = Self.limits {
            $0.headerTimeout = .seconds(10)
            $0.idleTimeout = .milliseconds(300)
        }
        try await ConnectionServer.with(limits: limits) { server in
            try await RawClient.connect(port: server.port) { client in
                let began = ContinuousClock.now
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 200)
                let extra = try await client.waitForEnd()
                #expect(extra == 0)
                #expect(began.duration(to: .now) >= .milliseconds(290))
                #expect(began.duration(to: .now) < .seconds(60))
            }
        }
    }

    private static let slowBodies = limits {
        $0.bodyRate = 10_000
        $0.bodyRateGrace = .milliseconds(300)
        $0.bodyRateWindow = .milliseconds(600)
    }

    @Test(arguments: ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func trickledBodyIsAnsweredWith408(framing: String) async throws {
        try await ConnectionServer.with(limits: Self.slowBodies) { server in
            try await RawClient.connect(port: server.port) { client in
                let began = ContinuousClock.now
                try await client.send("PUT /a HTTP/1.1\r\nHost: x\r\n" + framing)
                let send = client.sender
                let piece = ByteBuffer(string: framing.hasPrefix("C") ? "x" : "1\r\nx\r\n")
                async let sending: Void = { @Sendable in
                    while true {
                        try await send(piece)
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }()
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.status) == [408])
                #expect(answers.first?["Connection"] == "close")
                #expect(began.duration(to: .now) >= .milliseconds(290))
                client.channel.close(promise: nil)
                try? await sending
            }
        }
    }

    @Test func bodyAtThePermittedRateIsReceived() async throws {
        let limits = Self.limits {
            $0.bodyRate = 500
            $0.bodyRateGrace = .seconds(3)
            $0.bodyRateWindow = .seconds(3)
        }
        try await ConnectionServer.with(limits: limits) { server in
            try await RawClient.connect(port: server.port) { client in
                // Takes longer than the window, and is faster than it must be.
                try await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
                for _ in 1...200 {
                    try await client.send(ByteBuffer(repeating: 0x61, count: 1_000))
                    try await Task.sleep(for: .milliseconds(20))
                }
                let answer = try await client.answer()
                #expect(answer.text == "/a 200000")
            }
        }
    }

    /// The client has sent all it may; that the route takes its time is not the client's doing.
    @Test func slowRouteIsNotHeldAgainstTheClient() async throws {
        let limits = Self.limits {
            $0.bodyRate = 10_000
            $0.bodyRateGrace = .seconds(3)
            $0.bodyRateWindow = .seconds(3)
        }
        try await ConnectionServer.with(
            limits: limits,
            responder: { request, writer, _ in
                var size = 0
                for try await chunk in request.body {
                    if size == 0 { try await Task.sleep(for: .seconds(4)) }
                    size += chunk.readableBytes
                }
                try await Routes.write(.ok, "\(size)", to: writer)
            }
        ) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n")
                try await client.send(ByteBuffer(repeating: 0x61, count: 4 << 20))
                let answer = try await client.answer()
                #expect(answer.text == "4194304")
            }
        }
    }

    @Test func unreadRestThatNeverComesEndsTheConnection() async throws {
        try await ConnectionServer.with(limits: Self.limits { $0.headerTimeout = .seconds(3) }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("PUT /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 200)
                let extra = try await client.waitForEnd()
                #expect(extra == 0)
            }
        }
    }

    @Test func readerThatStopsEndsTheAnswer() async throws {
        let ended = AsyncStream<Void>.makeStream()
        let limits = Self.limits { $0.writeStall = .milliseconds(400) }
        try await ConnectionServer.with(
            limits: limits,
            responder: { _, writer, _ in
                defer { ended.continuation.finish() }
                var body = try await writer.writeHead(.init(status: .ok))
                let chunk = ByteBuffer(repeating: 0x61, count: 128 << 10)
                while true { try await body.write(chunk) }
            }
        ) { server in
            try await RawClient.connect(port: server.port, receiveBuffer: 64 << 10) { client in
                try await client.channel.setOption(.autoRead, value: false).get()
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                for await _ in ended.stream {}
            }
        }
    }

    /// Slower than the socket's buffers are reported as writable again, but never silent.
    @Test func readerThatIsOnlySlowGetsTheWholeAnswer() async throws {
        let size = 6 << 20
        let limits = Self.limits { $0.writeStall = .seconds(6) }
        try await ConnectionServer.with(
            limits: limits,
            responder: { _, writer, _ in
                try await writer.write(
                    response: .init(status: .ok, headerFields: [.contentLength: "\(size)"]),
                    body: .init(byteBuffer: ByteBuffer(repeating: 0x61, count: size)))
            }
        ) { server in
            try await RawClient.connect(port: server.port, receiveBuffer: 64 << 10) { client in
                try await client.channel.setOption(.autoRead, value: false).get()
                try await client.channel.setOption(
                    .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10)
                ).get()
                try await client.channel.setOption(.maxMessagesPerRead, value: 1).get()
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                for _ in 1...85 {
                    client.channel.read()
                    try await client.receiveMore()
                    try await Task.sleep(for: .milliseconds(80))
                }
                try await client.channel.setOption(.autoRead, value: true).get()
                client.channel.read()
                let answers = try await client.remainingAnswers()
                #expect(answers.first?.body.readableBytes == size)
            }
        }
    }
}
