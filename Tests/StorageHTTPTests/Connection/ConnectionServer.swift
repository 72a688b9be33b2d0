import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

@testable import StorageHTTP

/// A live server on a ``StorageHTTP1Channel`` with a free port of its own.
struct ConnectionServer {
    let port: Int
    /// Begins the orderly shutdown.
    let quiesce: @Sendable () async -> Void

    static func with<R: Sendable>(
        limits: ConnectionLimits = ConnectionLimits(),
        wrapper: @escaping @Sendable (StorageHTTP1Channel) -> any ServerChildChannel = { $0 },
        responder: @escaping HTTPChannelHandler.Responder = Routes.respond,
        recall: StorageHTTP1Channel.Recall? = nil,
        _ body: (ConnectionServer) async throws -> R
    ) async throws -> R {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let service = try HTTPServerBuilder({ responder in
            wrapper(StorageHTTP1Channel(responder: responder, limits: limits, recall: recall))
        }).buildServer(
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: 0)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            responder: responder
        ) { channel in
            continuation.yield(channel.localAddress?.port ?? 0)
            continuation.finish()
        }
        let group = ServiceGroup(services: [service], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            let server = ConnectionServer(port: port) { await group.triggerGracefulShutdown() }
            let result: R
            do {
                result = try await body(server)
            } catch {
                tasks.cancelAll()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
    }
}

/// The few routes that most connection tests need.
enum Routes {
    static let respond: HTTPChannelHandler.Responder = { request, writer, _ in
        switch request.uri.path {
        case "/refuse":
            try await write(.contentTooLarge, "too large", to: writer)
        case "/unread":
            try await write(.ok, "unread", to: writer)
        case "/close":
            try await writer.write(
                response: HTTPResponse(status: .ok, headerFields: [.connection: "close", .contentLength: "0"]),
                body: ResponseBody())
        default:
            await answerWithSize(request, writer)
        }
    }

    /// Reads the whole body and answers its size; a failed body is answered as a route would.
    @concurrent private static func answerWithSize(_ request: Request, _ writer: consuming ResponseWriter) async {
        var size = 0
        var status = HTTPResponse.Status.ok
        do {
            for try await chunk in request.body { size += chunk.readableBytes }
        } catch let error as RequestBodyError {
            status = error == .tooSlow ? .requestTimeout : .badRequest
        } catch {
            status = .internalServerError
        }
        try? await write(status, "\(request.head.path ?? "") \(size)", to: writer)
    }

    @concurrent static func write(
        _ status: HTTPResponse.Status, _ text: String, to writer: consuming ResponseWriter
    ) async throws {
        let body = ByteBuffer(string: text)
        try await writer.write(
            response: HTTPResponse(status: status, headerFields: [.contentLength: "\(body.readableBytes)"]),
            body: ResponseBody(byteBuffer: body)
        )
    }
}
