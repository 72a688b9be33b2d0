import NIOCore
import NIOHTTP1
import StorageCore
import StorageTesting
import Synchronization
import Testing

@testable import StorageS3

@Suite("A trace that goes through a bucket")
struct TracingTests {
    private final class Seen: Sendable {
        let values = Mutex<[(parent: String?, state: String?)]>([])
    }

    @Test("is carried on by every request, each as a span of its own, and by none without a trace")
    func requests() async throws {
        let s3 = ScriptedS3()
        try await s3.withStore { store in
            let seen = Seen()
            s3.refuse { request, count in
                let (parent, state) = (
                    request.headers.first(name: "traceparent"), request.headers.first(name: "tracestate")
                )
                seen.values.withLock { $0.append((parent, state)) }
                // The repetition of a request that failed is another.
                return request.operation == "PutObject" && count == 1 ? .error(503, "SlowDown") : nil
            }
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let context = try #require(
                TraceContext(traceparent: "00-\(trace)-00f067aa0ba902b7-01", tracestate: ["a=1"]))
            let key = try await TraceContext.$current.withValue(context) {
                let staged = try await store.stage(ByteStream(.random(count: 1_000, seed: 1)))
                let key = BlobKey(space: .shared, digest: staged.digest)
                try await store.publish(staged, as: key)
                await store.discard(staged)
                _ = try await store.open(key, range: nil)?.stream.collect(upTo: 1_000)
                return key
            }
            let traced = seen.values.withLock { $0 }
            #expect(traced.count >= 4)
            #expect(Set(traced.map(\.parent)).count == traced.count)
            for (parent, state) in traced {
                #expect(parent?.hasPrefix("00-\(trace)-") == true)
                #expect(parent?.hasSuffix("-01") == true)
                #expect(state == "a=1")
            }
            _ = try await store.info(for: key)
            let last = seen.values.withLock { $0.last }
            #expect(last?.parent == nil && last?.state == nil)
        }
    }
}
