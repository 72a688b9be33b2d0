import NIOCore
import StorageCore
import StorageTesting
import Testing

@testable import StorageHTTP

@Suite("The compressor")
struct CompressorTests {
    private static func text(_ count: Int) -> ByteBuffer {
        ByteBuffer(bytes: (0..<count).lazy.map { UInt8(ascii: "a") + UInt8(($0 / 7) % 23) })
    }

    /// Bytes that no compression makes fewer.
    private static func noise(_ count: Int) -> ByteBuffer {
        var generator = SeededGenerator(seed: 1)
        var bytes = ByteBuffer()
        while bytes.readableBytes < count { bytes.writeInteger(generator.next()) }
        return bytes
    }

    private static func key(_ number: Int) throws -> BlobKey {
        BlobKey(space: .shared, digest: try SHA256.digest(of: ByteBuffer(integer: number)))
    }

    @Test("gives the bytes back, whatever chunks they come in", arguments: [0, 1, 1_000, 65_536, 3_000_000])
    func chunks(count: Int) async throws {
        let compressor = Compressor()
        for bytes in [Self.text(count), ByteBuffer.random(count: count, seed: 5)] {
            for step in [1_000, 65_536, 5_000_000] {
                let chunks = stride(from: 0, to: count, by: step).compactMap {
                    bytes.getSlice(at: $0, length: min(step, count - $0))
                }
                let stream = ByteStream(
                    AsyncStream { continuation in
                        for chunk in chunks { continuation.yield(chunk) }
                        continuation.finish()
                    }, length: Int64(count), isReplayable: false)
                let permit = try #require(compressor.permit())
                let compressed = compressor.compress(stream, of: try Self.key(1), size: Int64(count), permit)
                let whole = try await compressed.collect(upTo: 10 << 20)
                #expect(gunzip(whole) == bytes, "\(count) in \(step)")
            }
            let whole = try await compressor.compress(bytes, try #require(compressor.permit()))
            #expect(gunzip(whole) == bytes)
        }
    }

    @Test("keeps the result of a whole blob, and of no other")
    func results() async throws {
        let compressor = Compressor(cache: 8_000)
        let permit = try #require(compressor.permit())
        let text = Self.text(50_000)
        let (one, two, three) = (try Self.key(1), try Self.key(2), try Self.key(3))
        let result = try await compressor.compress(text, of: one, permit)
        #expect(compressor.result(of: one) == result)
        #expect(compressor.result(of: two) == nil)

        let broken = ByteStream(length: 50_000, isReplayable: false) {
            var rest: ByteBuffer? = text
            return {
                guard let chunk = rest.take() else { throw StorageError(.corrupt, "It ends early.") }
                return chunk
            }
        }
        await #expect(throws: StorageError.self) {
            _ = try await compressor.compress(broken, of: two, size: 50_000, permit).collect(upTo: 1 << 20)
        }
        #expect(compressor.result(of: two) == nil)

        // A result that would push out too many others is not kept.
        let noise = ByteBuffer.random(count: 50_000, seed: 3)
        _ = try await compressor.compress(ByteStream(noise), of: three, size: 50_000, permit).collect(upTo: 1 << 20)
        #expect(compressor.result(of: three) == nil)
    }

    @Test("keeps results in no more memory than they are counted with")
    func memory() async throws {
        let compressor = Compressor(cache: 20_000)
        let permit = try #require(compressor.permit())
        let keys = try (0..<100).map { try Self.key($0) }
        for key in keys { _ = try await compressor.compress(Self.text(2_000), of: key, permit) }
        let kept = keys.compactMap { compressor.result(of: $0) }
        // An entry has a key and a place beside its bytes.
        #expect((10...20_000 / 512).contains(kept.count))
        // Memory comes in powers of two.
        for result in kept { #expect(result.storageCapacity <= 2 * result.readableBytes) }
    }

    /// Compresses a blob as far as the first bytes of the result.
    private func begin(_ bytes: ByteBuffer, _ key: BlobKey, _ compressor: Compressor) async throws
        -> ByteStream.Iterator
    {
        let stream = ByteStream.chunked(bytes, sizes: [100_000], length: Int64(bytes.readableBytes))
        let permit = try #require(compressor.permit())
        var begun = compressor.compress(stream, of: key, size: Int64(bytes.readableBytes), permit).makeAsyncIterator()
        _ = try await begun.next()
        return begun
    }

    private func end(_ begun: ByteStream.Iterator) async throws {
        var begun = begun
        while try await begun.next() != nil {}
    }

    @Test("collects few results at once, and no more of one than it keeps")
    func collecting() async throws {
        let compressor = Compressor(cache: 4 << 20)
        let small = Self.noise(200_000)
        var begun: [ByteStream.Iterator] = []
        for number in 0..<9 { begun.append(try await begin(small, try Self.key(number), compressor)) }
        for one in begun { try await end(one) }
        #expect(try (0..<9).count { compressor.result(of: try Self.key($0)) != nil } == 8)

        // What became too large has given its place to others before it ends.
        let large = Self.noise(2_000_000)
        begun = []
        for number in 10..<18 {
            var one = try await begin(large, try Self.key(number), compressor)
            var count = 0
            while count < 1 << 20, let chunk = try await one.next() { count += chunk.readableBytes }
            begun.append(one)
        }
        try await end(try await begin(small, try Self.key(18), compressor))
        #expect(compressor.result(of: try Self.key(18)) != nil)
        for one in begun { try await end(one) }
        #expect(try (10..<18).allSatisfy { compressor.result(of: try Self.key($0)) == nil })
    }

    @Test("admits so many contents at once that their memory stays small, and more when some have ended")
    func permits() {
        let compressor = Compressor()
        var permits = (0..<128).compactMap { _ in compressor.permit() }
        #expect(permits.count == 128)
        #expect(compressor.permit() == nil)
        permits.removeLast()
        #expect(compressor.permit() != nil)
    }
}
