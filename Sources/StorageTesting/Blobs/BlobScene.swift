import NIOCore
import StorageCore
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A store, and short words for what the clauses do with it.
struct BlobScene: Sendable {
    let store: any BlobStore

    /// Stages and publishes bytes under a key made of their digest.
    @discardableResult
    func save(_ bytes: ByteBuffer, in space: Space = .shared, generation: Int64 = 0) async throws -> BlobKey {
        let staged = try await store.stage(ByteStream(bytes))
        let key = BlobKey(space: space, digest: staged.digest, generation: generation)
        try await store.publish(staged, as: key)
        await store.discard(staged)
        return key
    }

    /// The bytes of a blob or of a part of it; nil when it is not there.
    func read(_ key: BlobKey, range: ByteRange? = nil) async throws -> ByteBuffer? {
        guard let content = try await store.open(key, range: range) else { return nil }
        return try await bytes(of: content)
    }

    /// What an opened blob yields; of an open file both ways out are compared.
    func bytes(of content: BlobContent) async throws -> ByteBuffer {
        let count = Int(content.range.upperBound - content.range.lowerBound)
        switch content.body {
        case .bytes(let bytes):
            return bytes
        case .stream(let stream):
            return try await stream.collect(upTo: count)
        case .file(let file, let stream):
            let streamed = try await stream.collect(upTo: count)
            var read = ByteBuffer()
            read.writeWithUnsafeMutableBytes(minimumWritableBytes: max(count, 1)) { space in
                max(0, pread(file.descriptor, space.baseAddress, count, off_t(content.range.lowerBound)))
            }
            #expect(read == streamed, "The file and the stream of a blob must have the same bytes.")
            return streamed
        }
    }

    /// All keys, in pages of this size.
    func keys(limit: Int = 1_000) async throws -> [BlobKey] {
        var keys: [BlobKey] = []
        while true {
            let page = try await store.keys(after: keys.last, limit: limit)
            #expect(page.count <= limit)
            guard !page.isEmpty else { return keys }
            keys += page
            try #require(keys.count < 10_000, "The pages of keys must come to an end.")
        }
    }

    /// The key that these bytes would have.
    func key(of bytes: ByteBuffer, in space: Space = .shared, generation: Int64 = 0) throws -> BlobKey {
        BlobKey(space: space, digest: try .of(bytes), generation: generation)
    }
}

/// What a body fails with on purpose.
struct BodyError: Error, Equatable {}
