import NIOCore
import StorageCore
import StorageTesting
import Testing

@Suite("A stream that is verified by a digest")
struct VerifiedStreamTests {
    private static let bytes = ByteBuffer.random(count: 10_000, seed: 1)

    @Test("has the same bytes, length and passes", arguments: [1, 9_999, 10_000, 10_001])
    func right(chunk: Int) async throws {
        let stream = ByteStream.chunked(Self.bytes, sizes: [chunk], length: 10_000)
            .verified(by: try BlobDigest.of(Self.bytes))
        for _ in 0..<2 {
            let read = try await stream.collect(upTo: 10_000)
            #expect(read == Self.bytes)
        }
        #expect(stream.length == 10_000)
        #expect(stream.isReplayable)
    }

    @Test("throws in place of the last chunk when the bytes are wrong, or none", arguments: [0, 1, 3])
    func wrong(chunks: Int) async throws {
        let whole = ByteBuffer.random(count: chunks * 100, seed: 2)
        let stream = ByteStream.chunked(whole, sizes: [100], length: nil).verified(by: .random())
        var received = 0
        let error = await #expect(throws: StorageError.self) {
            for try await chunk in stream { received += chunk.readableBytes }
        }
        #expect(error?.code == .corrupt)
        #expect(received == max(0, chunks - 1) * 100)
    }
}
