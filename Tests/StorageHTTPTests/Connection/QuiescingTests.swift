import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOPosix
import Testing

@testable import StorageHTTP

@Suite(.timeLimit(.minutes(1)))
struct QuiescingTests {
    @Test func idleConnectionsEndAtOnce() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { fresh in
                try await RawClient.connect(port: server.port) { used in
                    try await used.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await used.answer()
                    #expect(answer.status == 200)
                    await server.quiesce()
                    let extra = try await used.waitForEnd()
                    #expect(extra == 0)
                    let extra2 = try await fresh.waitForEnd()
                    #expect(extra2 == 0)
                }
            }
        }
    }

    @Test func uploadInFlightIsAnsweredAndThenItsConnectionEnds() async throws {
        try await ConnectionServer.with { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send(
                    "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == 100)
                try await client.send("hello")
                await server.quiesce()
                try await RawClient.expectRefusedConnection(port: server.port)
                try await client.send("world")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["/a 10"])
            }
        }
    }

    @Test func answerThatBeginsLaterSaysThatTheConnectionEnds() async throws {
        try await ConnectionServer.with(responder: { _, writer, channel in
            try await channel.eventLoop.submit {
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }.get()
            try await Routes.write(.ok, "last", to: writer)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["last"])
                #expect(answers.first?["Connection"] == "close")
            }
        }
    }

    @Test func answerInFlightIsCompleted() async throws {
        let steps = AsyncStream<Void>.makeStream()
        try await ConnectionServer.with(responder: { _, writer, _ in
            var body = try await writer.writeHead(.init(status: .ok))
            try await body.write(ByteBuffer(string: "first "))
            var iterator = steps.stream.makeAsyncIterator()
            await iterator.next(isolation: nil)
            try await body.write(ByteBuffer(string: "second"))
            try await body.finish(nil)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                try await client.receiveMore()
                await server.quiesce()
                try await RawClient.expectRefusedConnection(port: server.port)
                steps.continuation.yield()
                let answers = try await client.remainingAnswers()
                #expect(answers.map(\.text) == ["first second"])
            }
        }
    }
}

extension RawClient {
    /// Waits until the listener is closed.
    fileprivate static func expectRefusedConnection(port: Int) async throws {
        while true {
            do {
                // A connection that slips in before the listener closes is ended at once.
                _ = try await connect(port: port) { client in try await client.waitForEnd() }
            } catch is NIOConnectionError {
                return
            } catch {
                continue
            }
        }
    }
}
