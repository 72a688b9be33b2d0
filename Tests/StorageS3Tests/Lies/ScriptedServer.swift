import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A request as it arrived.
struct ScriptedRequest: Sendable {
    let method: String
    /// The decoded path.
    let path: String
    let query: [String: String]
    let headers: HTTPHeaders
    let body: ByteBuffer

    /// The name of the S3 operation that it is, near enough.
    var operation: String {
        switch (method, path.utf8.split(separator: UInt8(ascii: "/")).count) {
        case ("GET", 1) where query["versioning"] != nil: "GetBucketVersioning"
        case ("GET", 1) where query["versions"] != nil: "ListObjectVersions"
        case ("GET", 1) where query["uploads"] != nil: "ListMultipartUploads"
        case ("GET", 1): "ListObjectsV2"
        case ("HEAD", 1): "HeadBucket"
        case ("POST", 1): "DeleteObjects"
        case ("POST", _) where query["uploads"] != nil: "CreateMultipartUpload"
        case ("POST", _): "CompleteMultipartUpload"
        case ("PUT", _) where query["uploadId"] != nil: "UploadPart"
        case ("DELETE", _) where query["uploadId"] != nil: "AbortMultipartUpload"
        case ("PUT", _): "PutObject"
        case ("GET", _): "GetObject"
        case ("HEAD", _): "HeadObject"
        case ("DELETE", _): "DeleteObject"
        default: method
        }
    }
}

/// An answer as it is to be sent, right or wrong.
struct ScriptedAnswer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body = ByteBuffer()
    /// What `Content-Length` says, where that is not the body's length.
    var announced: Int?
    /// Ends the connection behind the body.
    var isCut = false
    /// Sends the body again and again behind ``opening``, and says no length.
    var isEndless = false
    var opening = ByteBuffer()
    /// How long is waited before anything is sent.
    var delay = TimeAmount.zero
    /// Sends nothing and keeps the connection.
    var isMute = false
    /// Sends nothing and ends the connection.
    var isSilent = false
    /// Names a transfer coding instead of a length, and sends the last chunk of a body although there is none.
    var lastChunk: LastChunk?

    /// When that chunk is sent: with the head, or in a packet of its own.
    enum LastChunk: Sendable, CaseIterable {
        case together, apart
    }

    /// An error as S3 writes it.
    static func error(_ status: Int, _ code: String, headers: [(String, String)] = []) -> ScriptedAnswer {
        let text = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>as scripted</Message></Error>"
        return ScriptedAnswer(status: status, headers: headers, body: ByteBuffer(string: text))
    }

    static func xml(_ text: String) -> ScriptedAnswer {
        ScriptedAnswer(body: ByteBuffer(string: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + text))
    }
}

/// An HTTP server on loopback that answers what it is told to.
final class ScriptedServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let counter: Counter

    init(
        tls: NIOSSLContext? = nil, _ answer: @escaping @Sendable (ScriptedRequest) -> ScriptedAnswer
    ) async throws {
        let counter = Counter()
        self.counter = counter
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
                    try channel.pipeline.syncOperations.addHandler(ScriptedHandler(answer, counter))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// How many bytes of answers were written.
    var bytesSent: Int { counter.bytes.load(ordering: .relaxed) }

    deinit { channel.close(promise: nil) }
}

private final class Counter: Sendable {
    let bytes = Atomic<Int>(0)
}

private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let answer: @Sendable (ScriptedRequest) -> ScriptedAnswer
    private let counter: Counter
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(_ answer: @escaping @Sendable (ScriptedRequest) -> ScriptedAnswer, _ counter: Counter) {
        self.answer = answer
        self.counter = counter
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(let chunk): body.writeImmutableBuffer(chunk)
        case .end:
            guard let head else { return }
            let answer = answer(Self.request(head, body))
            guard answer.delay > .zero else { return send(answer, to: head.method, context) }
            _ = context.eventLoop.assumeIsolated().scheduleTask(in: answer.delay) { [self, context] in
                send(answer, to: head.method, context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.close(promise: nil) }
        let refusal = ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(refusal)).assumeIsolated().whenComplete { [context] _ in
            context.close(promise: nil)
        }
    }

    private static func request(_ head: HTTPRequestHead, _ body: ByteBuffer) -> ScriptedRequest {
        let parts = head.uri.split(separator: "?", maxSplits: 1).map { $0.removingPercentEncoding ?? "" }
        let raw = head.uri.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        var query: [String: String] = [:]
        for pair in raw.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1).map { $0.removingPercentEncoding ?? "" }
            if let name = sides.first { query[name] = sides.count > 1 ? sides[1] : "" }
        }
        return ScriptedRequest(
            method: head.method.rawValue, path: parts.first ?? "", query: query, headers: head.headers, body: body)
    }

    private func send(_ answer: ScriptedAnswer, to method: HTTPMethod, _ context: ChannelHandlerContext) {
        guard !answer.isMute else { return }
        guard !answer.isSilent else { return context.close(promise: nil) }
        var text = "HTTP/1.1 \(answer.status) Scripted\r\n"
        for (name, value) in answer.headers { text += "\(name): \(value)\r\n" }
        if answer.isEndless {
            text += "Connection: close\r\n"
        } else if answer.lastChunk != nil {
            text += "Transfer-Encoding: chunked\r\n"
        } else if answer.status != 204 {
            text += "Content-Length: \(answer.announced ?? answer.body.readableBytes)\r\n"
        }
        var bytes = ByteBuffer(string: text + "\r\n")
        if answer.isEndless { bytes.writeImmutableBuffer(answer.opening) }
        if method != .HEAD { bytes.writeImmutableBuffer(answer.body) }
        if answer.lastChunk == .together { bytes.writeImmutableBuffer(Self.lastChunk) }
        counter.bytes.add(bytes.readableBytes, ordering: .relaxed)
        let written = context.writeAndFlush(wrapOutboundOut(bytes))
        if answer.isCut { written.assumeIsolated().whenComplete { [context] _ in context.close(promise: nil) } }
        if answer.isEndless { sendAgain(answer.body, context) }
        if answer.lastChunk == .apart {
            written.assumeIsolated().whenSuccess { [self, context] in
                context.writeAndFlush(wrapOutboundOut(Self.lastChunk), promise: nil)
            }
        }
    }

    private static let lastChunk = ByteBuffer(string: "0\r\n\r\n")

    private func sendAgain(_ chunk: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(chunk)).assumeIsolated().whenSuccess { [self, context] in
            counter.bytes.add(chunk.readableBytes, ordering: .relaxed)
            sendAgain(chunk, context)
        }
    }
}
