import Glibc
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import StorageHTTP

@Suite(.timeLimit(.minutes(1)))
struct FileSenderTests {
    /// Sends `?offset-length` of the file, each answer with a descriptor of its own that is closed right after.
    private static func responder(_ sample: Sample) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            let numbers = (request.uri.query ?? "").split(separator: "-").compactMap { Int64($0) }
            guard let sender = FileSender(channel), numbers.count == 2 else {
                try await Routes.write(.internalServerError, "", to: writer)
                return
            }
            let own = dup(sample.descriptor)
            defer { close(own) }
            let chunked = request.uri.path == "/chunked"
            let body = try await writer.writeHead(
                .init(status: .ok, headerFields: chunked ? [:] : [.contentLength: "\(numbers[1])"]))
            try await sender.send(fileDescriptor: own, offset: numbers[0], length: numbers[1])
            try await body.finish(nil)
        }
    }

    @Test(arguments: [
        (0, 0), (0, 1), (1, 1), (0, 1_000), (999, 65_536), (4_194_303, 2), (0, 4 << 20), (1, (4 << 20) + 1),
        (12_345, 20_000_000),
    ])
    func rangeArrivesWholeAndTheConnectionStaysUsable(offset: Int, length: Int) async throws {
        let sample = try Sample(size: 24 << 20)
        let expected = Sample.bytes(offset..<offset + length)
        try await ConnectionServer.with(responder: Self.responder(sample)) { server in
            try await RawClient.connect(port: server.port) { client in
                for path in ["/", "/chunked", "/"] {
                    try await client.send("GET \(path)?\(offset)-\(length) HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.status == 200)
                    #expect(answer.body == expected)
                }
            }
        }
    }

    @Test func fileThatIsOnlyOnTheDiskArrivesWhole() async throws {
        let sample = try Sample(size: 24 << 20)
        try await ConnectionServer.with(responder: Self.responder(sample)) { server in
            try await RawClient.connect(port: server.port) { client in
                for _ in 0..<2 {
                    try sample.forget()
                    try await client.send("GET /?0-\(24 << 20) HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await client.answer()
                    #expect(answer.body == Sample.bytes(0..<24 << 20))
                }
            }
        }
    }

    @Test func headSendsNothing() async throws {
        let sample = try Sample(size: 1 << 20)
        try await ConnectionServer.with(responder: Self.responder(sample)) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("HEAD /?0-1048576 HTTP/1.1\r\nHost: x\r\n\r\n")
                let head = try await client.answer(isHead: true)
                #expect(head["Content-Length"] == "1048576")
                try await client.send("GET /?7-3 HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.body == Sample.bytes(7..<10))
            }
        }
    }

    @Test func manyClientsGetTheirOwnRanges() async throws {
        let sample = try Sample(size: 24 << 20)
        try await ConnectionServer.with(responder: Self.responder(sample)) { server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let range = number * 300_007..<number * 300_007 + 10_000_000
                        return try await RawClient.connect(port: server.port) { client in
                            try await client.send(
                                "GET /?\(range.lowerBound)-\(range.count) HTTP/1.1\r\nHost: x\r\n\r\n")
                            return try await client.answer().body == Sample.bytes(range)
                        }
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    /// Runs one answer of a file and reports how sending ended; the descriptor is closed only after that.
    private static func outcome(
        of sample: Sample, length: Int64, declared: Int64? = nil, limits: ConnectionLimits = ConnectionLimits(),
        client: (ConnectionServer) async throws -> Void
    ) async throws -> (any Error)? {
        let outcomes = AsyncStream<(any Error)?>.makeStream()
        try await ConnectionServer.with(
            limits: limits,
            responder: { _, writer, channel in
                let sender = try #require(FileSender(channel))
                let own = dup(sample.descriptor)
                let body = try await writer.writeHead(
                    .init(status: .ok, headerFields: [.contentLength: "\(declared ?? length)"]))
                do {
                    defer { close(own) }
                    try await sender.send(fileDescriptor: own, offset: 0, length: length)
                } catch {
                    outcomes.continuation.yield(error)
                    throw error
                }
                outcomes.continuation.yield(nil)
                try await body.finish(nil)
            }, client)
        var iterator = outcomes.stream.makeAsyncIterator()
        let outcome = try #require(await iterator.next(isolation: nil))
        return outcome
    }

    @Test func clientThatLeavesEndsTheTransfer() async throws {
        let sample = try Sample(size: 64 << 20, isSparse: true)
        let error = try await Self.outcome(of: sample, length: 64 << 20) { server in
            try await RawClient.connect(port: server.port, receiveBuffer: 64 << 10) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                while client.unread.readableBytes < 1_000_000 { try await client.receiveMore() }
            }
        }
        #expect(error != nil)
        #expect(sample.openDescriptors == 1)
    }

    @Test func clientThatStopsReadingEndsTheTransfer() async throws {
        let sample = try Sample(size: 64 << 20, isSparse: true)
        var limits = ConnectionLimits()
        limits.writeStall = .milliseconds(300)
        let error = try await Self.outcome(of: sample, length: 64 << 20, limits: limits) { server in
            try await RawClient.connect(port: server.port, receiveBuffer: 64 << 10) { client in
                try await client.channel.setOption(.autoRead, value: false).get()
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                // Nothing is read, so only a reset can tell this end.
                try? await client.channel.closeFuture.get()
            }
        }
        #expect(error != nil)
        #expect(sample.openDescriptors == 1)
    }

    @Test func fileShorterThanItsRangeIsAnErrorAndNoEndlessLoop() async throws {
        let sample = try Sample(size: 5_000_000, isSparse: true)
        let error = try await Self.outcome(of: sample, length: 9_000_000) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.isComplete == false)
            }
        }
        #expect(error as? FileSenderError == .fileTooShort)
    }

    @Test func moreThanTheDeclaredLengthIsNotSent() async throws {
        let sample = try Sample(size: 1_000)
        let error = try await Self.outcome(of: sample, length: 1_000, declared: 999) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let extra = try await client.waitForEnd()
                #expect(extra < 999)
            }
        }
        #expect(error != nil)
    }

    @Test(arguments: [(-1, 1), (0, -1), (Int64.max, 1), (1, Int64.max)] as [(Int64, Int64)])
    func impossibleRangesAreRefused(offset: Int64, length: Int64) async throws {
        try await ConnectionServer.with(responder: { _, writer, channel in
            let sender = try #require(FileSender(channel))
            await #expect(throws: FileSenderError.invalidRange) {
                try await sender.send(fileDescriptor: 0, offset: offset, length: length)
            }
            try await Routes.write(.ok, "refused", to: writer)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.text == "refused")
            }
        }
    }

    @Test func sendingWithoutAnOpenAnswerFails() async throws {
        let sample = try Sample(size: 1_000)
        try await ConnectionServer.with(responder: { _, writer, channel in
            let sender = try #require(FileSender(channel))
            await #expect(throws: (any Error).self) {
                try await sender.send(fileDescriptor: sample.descriptor, offset: 0, length: 10)
            }
            try await Routes.write(.ok, "refused", to: writer)
        }) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.text == "refused")
            }
        }
    }

    /// A handler below the connection, as TLS is one, would have to see the bytes.
    @Test func wrappedConnectionsSendNoFiles() async throws {
        try await ConnectionServer.with(
            wrapper: WrappedChannel.init,
            responder: { _, writer, channel in
                try await Routes.write(.ok, FileSender(channel) == nil ? "no" : "yes", to: writer)
            }
        ) { server in
            try await RawClient.connect(port: server.port) { client in
                try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.text == "no")
            }
        }
    }

    @Test func foreignChannelsSendNoFiles() async throws {
        let channel = NIOAsyncTestingChannel()
        #expect(FileSender(channel) == nil)
        _ = try? await channel.finish()
    }
}

/// A channel with a handler between the connection and the socket.
private struct WrappedChannel: ServerChildChannel {
    private final class Passage: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
    }

    let base: StorageHTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<StorageHTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Passage())
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: StorageHTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
