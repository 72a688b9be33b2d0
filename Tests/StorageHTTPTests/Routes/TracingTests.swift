import HTTPTypes
import HummingbirdTesting
import NIOCore
import StorageCore
import Synchronization
import Testing

@testable import StorageHTTP

@Suite("The trace of a request")
struct TracingTests {
    /// Notes in which traces it is asked.
    private struct TracedBlobStore: BlobStore {
        final class Seen: Sendable {
            let traces = Mutex<[TraceContext?]>([])

            func note() { traces.withLock { $0.append(TraceContext.current) } }
        }

        let base = InMemoryBlobStore()
        let seen = Seen()

        func stage(_ body: ByteStream) async throws -> StagedBlob {
            seen.note()
            return try await base.stage(body)
        }
        func publish(_ staged: StagedBlob, as key: BlobKey) async throws {
            seen.note()
            try await base.publish(staged, as: key)
        }
        func discard(_ staged: StagedBlob) async { await base.discard(staged) }
        func open(_ key: BlobKey, range: ByteRange?) async throws -> BlobContent? {
            seen.note()
            guard let content = try await base.open(key, range: range) else { return nil }
            // Read while the answer is written, after the route has returned.
            let stream = ByteStream(length: content.stream.length, isReplayable: false) { [seen] in
                var iterator = content.stream.makeAsyncIterator()
                return {
                    seen.note()
                    return try await iterator.next(isolation: #isolation)
                }
            }
            return BlobContent(size: content.size, range: content.range, body: .stream(stream))
        }
        func info(for key: BlobKey) async throws -> BlobInfo? { try await base.info(for: key) }
        func remove(_ key: BlobKey) async throws { try await base.remove(key) }
        func ping() async throws { try await base.ping() }
        func keys(after key: BlobKey?, limit: Int) async throws -> [BlobKey] {
            try await base.keys(after: key, limit: limit)
        }
        func strays(limit: Int) async throws -> [Stray] { try await base.strays(limit: limit) }
    }

    @Test("reaches the stores, and begins anew where it is malformed", arguments: Transport.allCases)
    func stores(_ transport: Transport) async throws {
        let store = TracedBlobStore()
        let id = "4bf92f3577b34da6a3ce929d0e0e4736"
        try await RouteFixture.with(transport) {
            $0.blobs = store
        } _: { client in
            let field = try #require(HTTPField.Name("traceparent"))
            for (number, value) in ["00-\(id)-00f067aa0ba902b7-01", "00-\(id)-00f067aa0ba902b7-xx", nil].enumerated() {
                store.seen.traces.withLock { $0.removeAll() }
                var headers = HTTPFields.ann
                headers[field] = value
                let put = try await client.send(.put, "/api/files/\(number)", headers, body: "content \(number)")
                #expect(put.status == .noContent)
                let get = try await client.send(.get, "/api/v1/files/download?path=/\(number)", headers)
                #expect(get.text == "content \(number)")
                let traces = store.seen.traces.withLock { $0 }
                #expect(traces.count >= 4)
                switch number {
                case 0: #expect(traces.allSatisfy { $0?.traceID == id })
                case 1: #expect(traces.allSatisfy { $0 != nil && $0?.traceID != id })
                default: #expect(traces.allSatisfy { $0 == nil })
                }
            }
        }
    }
}
