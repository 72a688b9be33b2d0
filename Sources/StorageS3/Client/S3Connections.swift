import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import StorageCore

/// The connections to a service: kept alive, TLS verified, redirects never followed. Ends them with its last reference.
final class S3Connections: Sendable {
    /// What requests are made with.
    let http: HTTPClient
    /// What requests are made with that the service may be silent after for as long as they have time.
    let patient: HTTPClient

    /// As large as a read of a fast download gets.
    private static let largestRead = 256 << 10

    init(_ configuration: S3Configuration) {
        var options = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(configuration.connectTimeout), read: TimeAmount(configuration.idleTimeout),
                write: TimeAmount(configuration.idleTimeout)),
            connectionPool: .init(
                // Shorter than the services' own, so that a request seldom meets a connection that is being closed.
                idleTimeout: .seconds(15),
                concurrentHTTP1ConnectionsPerHostSoftLimit: max(1, configuration.connections)),
            decompression: .disabled)
        options.httpVersion = .http1Only
        // A refused connection is an answer; whether to try again is decided where the budget is known.
        options.connectionPool.retryConnectionEstablishment = false
        options.http1_1ConnectionDebugInitializer = { channel in
            let reads = AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 16_384, maximum: Self.largestRead)
            return channel.setOption(.recvAllocator, value: reads).flatMapThrowing {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(QuickAcknowledgement(), position: .first)
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
                try pipeline.addHandler(HeadAnswers(), position: .after(decoder))
            }
        }
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: options)
        options.timeout.read = nil
        patient = HTTPClient(eventLoopGroupProvider: .singleton, configuration: options)
    }

    deinit {
        http.shutdown { _ in }
        patient.shutdown { _ in }
    }
}
