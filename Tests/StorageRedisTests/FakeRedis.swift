import NIOCore
import NIOPosix
import Synchronization

@testable import StorageRedis

/// Listens on a loopback port and answers every bit that it gets with the same bytes.
enum FakeRedis {
    /// How many connections there are, and were.
    final class Connections: Sendable {
        private let counts = Mutex((open: 0, accepted: 0))

        var open: Int { counts.withLock { $0.open } }
        var accepted: Int { counts.withLock { $0.accepted } }

        func begin() {
            counts.withLock { $0 = ($0.open + 1, $0.accepted + 1) }
        }

        func end() {
            counts.withLock { $0.open -= 1 }
        }
    }

    /// Runs a test beside one that answers with `bytes`, or never.
    ///
    /// - Parameters:
    ///   - bytes: Each answer.
    ///   - userInfo: What its address has before the host, such as `:password@`.
    ///   - connections: Where its connections are counted.
    static func run(
        answering bytes: [UInt8], userInfo: String = "", counting connections: Connections = Connections(),
        _ body: (RedisAddress) async throws -> Void
    ) async throws {
        let group = NIOSingletons.posixEventLoopGroup
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { $0.pipeline.addHandler(Answering(bytes: bytes, connections: connections)) }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            let port = channel.localAddress?.port ?? 0
            if let address = RedisAddress("redis://\(userInfo)127.0.0.1:\(port)") { try await body(address) }
            try await channel.close()
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private final class Answering: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        let bytes: [UInt8]

        private let connections: Connections

        init(bytes: [UInt8], connections: Connections) {
            self.bytes = bytes
            self.connections = connections
        }

        func channelActive(context: ChannelHandlerContext) {
            connections.begin()
        }

        func channelInactive(context: ChannelHandlerContext) {
            connections.end()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !bytes.isEmpty else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }
}
