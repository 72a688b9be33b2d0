import HTTPTypes
import NIOCore
import NIOPosix

extension MetricsRegistry {
    /// All figures, looked up on a thread that may wait for them.
    func answer() async throws -> Answer {
        let bytes = try await NIOThreadPool.singleton.runIfActive { self.exposition() }
        return Answer(
            .ok, headers: [.contentType: PrometheusText.mediaType], content: .bytes(ByteBuffer(bytes: bytes)))
    }
}
