import NIOCore
import StorageCore
import Testing

extension BlobStoreConformance {
    /// Taking bodies in.
    static let staging: [Clause] = [
        clause("Digest and size of a body are those of FIPS 180-4's examples; else the names of blobs are wrong.") {
            scene in
            let examples = [
                ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ]
            for (text, hex) in examples {
                let staged = try await scene.store.stage(ByteStream(ByteBuffer(string: text)))
                #expect(staged.digest.hex == hex)
                #expect(staged.size == Int64(text.utf8.count))
                await scene.store.discard(staged)
            }
        },
        clause("The digest does not depend on how a body is cut; else equal files get two names.") { scene in
            let whole = ByteBuffer.random(count: 200_003, seed: 1)
            let digest = try BlobDigest.of(whole)
            for sizes in [[200_003], [1, 63, 64, 65, 8_191], [65_536], [100_000, 1]] {
                for length: Int64? in [nil, 200_003] {
                    let staged = try await scene.store.stage(.chunked(whole, sizes: sizes, length: length))
                    #expect(staged.digest == digest)
                    #expect(staged.size == 200_003)
                    await scene.store.discard(staged)
                }
            }
        },
        clause("Staged bytes are not visible; else a file is seen before its upload succeeded.") { scene in
            let bytes = ByteBuffer.random(count: 1_000, seed: 2)
            let staged = try await scene.store.stage(ByteStream(bytes))
            let key = BlobKey(space: .shared, digest: staged.digest)
            let (content, info, keys) = (
                try await scene.store.open(key, range: nil), try await scene.store.info(for: key),
                try await scene.keys()
            )
            #expect(content == nil)
            #expect(info == nil)
            #expect(keys.isEmpty)
            await scene.store.discard(staged)
        },
        clause("Discarded bytes leave nothing.") { scene in
            let staged = try await scene.store.stage(.random(count: 300_000, seed: 3))
            await scene.store.discard(staged)
            let keys = try await scene.keys()
            let info = try await scene.store.info(for: BlobKey(space: .shared, digest: staged.digest))
            #expect(keys.isEmpty)
            #expect(info == nil)
        },
        clause("A body that fails leaves nothing, wherever it fails, and its error comes through.") { scene in
            for sizes in [[], [10], [70_000], [1 << 20, 1 << 20, 1 << 20]] {
                let body = ByteStream(length: nil, isReplayable: false) {
                    var rest = sizes
                    return {
                        guard let size = rest.popLast() else { throw BodyError() }
                        return ByteBuffer.random(count: size, seed: 4)
                    }
                }
                await #expect(throws: BodyError.self) { _ = try await scene.store.stage(body) }
            }
            let keys = try await scene.keys()
            #expect(keys.isEmpty)
        },
        clause("A body that is shorter or longer than it says is refused; else a cut upload is stored.") { scene in
            for count in [10, 3 << 20] {
                let whole = ByteBuffer.random(count: count, seed: 5)
                for length in [count - 1, count + 1, 0, count * 2] {
                    let body = ByteStream.chunked(whole, sizes: [100_000], length: Int64(length))
                    await #expect(throws: StorageError.self) { _ = try await scene.store.stage(body) }
                }
            }
            let keys = try await scene.keys()
            #expect(keys.isEmpty)
        },
        clause("A cancelled upload ends and leaves nothing; else slow clients hold on to the store for ever.") {
            scene in
            let body = ByteStream(length: nil, isReplayable: false) {
                var isFirst = true
                return {
                    defer { isFirst = false }
                    if isFirst { return ByteBuffer.random(count: 100_000, seed: 6) }
                    try await Task.sleep(for: .seconds(3_600))
                    return nil
                }
            }
            let wasRefused = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do {
                        _ = try await scene.store.stage(body)
                        return false
                    } catch {
                        return true
                    }
                }
                group.cancelAll()
                return await group.allSatisfy { $0 }
            }
            let keys = try await scene.keys()
            #expect(wasRefused)
            #expect(keys.isEmpty)
        },
    ]

    /// Making bytes visible.
    static let publishing: [Clause] = [
        clause("Published bytes are there whole, with their size: of every value, of many sizes.") { scene in
            let every = ByteBuffer(bytes: (0..<1_024).map { UInt8(truncatingIfNeeded: $0) } + Array("\r\n\r\n\0".utf8))
            let sizes = [0, 1, 4_095, 4_096, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1]
            for bytes in [every] + sizes.map({ ByteBuffer.random(count: $0, seed: UInt64($0)) }) {
                let key = try await scene.save(bytes)
                let (read, info) = (try await scene.read(key), try await scene.store.info(for: key))
                #expect(read == bytes)
                #expect(info == BlobInfo(size: Int64(bytes.readableBytes)))
            }
        },
        clause("5 MiB and a little in odd chunks come back byte for byte.") { scene in
            let bytes = ByteBuffer.random(count: (5 << 20) + 3, seed: 7)
            let body = ByteStream.chunked(bytes, sizes: [1, 65_537, 3, 999_983, 127], length: nil)
            let staged = try await scene.store.stage(body)
            let key = BlobKey(space: .shared, digest: staged.digest)
            try await scene.store.publish(staged, as: key)
            await scene.store.discard(staged)
            let read = try await scene.read(key)
            #expect(staged.digest == (try BlobDigest.of(bytes)))
            #expect(read == bytes)
        },
        clause("A thousand chunks of a byte come back byte for byte.") { scene in
            let bytes = ByteBuffer.random(count: 1_000, seed: 8)
            let staged = try await scene.store.stage(.chunked(bytes, sizes: [1], length: 1_000))
            let key = BlobKey(space: .shared, digest: staged.digest)
            try await scene.store.publish(staged, as: key)
            await scene.store.discard(staged)
            let read = try await scene.read(key)
            #expect(read == bytes)
        },
        clause("Publishing again is fine; else a retry after a lost answer fails.") { scene in
            let bytes = ByteBuffer.random(count: 100_000, seed: 9)
            let staged = try await scene.store.stage(ByteStream(bytes))
            let key = BlobKey(space: .shared, digest: staged.digest)
            for _ in 0..<3 { try await scene.store.publish(staged, as: key) }
            await scene.store.discard(staged)
            let (read, keys) = (try await scene.read(key), try await scene.keys())
            #expect(read == bytes)
            #expect(keys == [key])
        },
        clause("The same bytes of another upload may be published under the same key.") { scene in
            let bytes = ByteBuffer.random(count: 1_000, seed: 10)
            let key = try await scene.save(bytes)
            try await scene.save(bytes)
            let (read, keys) = (try await scene.read(key), try await scene.keys())
            #expect(read == bytes)
            #expect(keys == [key])
        },
        clause("Staged bytes stay usable after they were published: under another generation, in another space.") {
            scene in
            let bytes = ByteBuffer.random(count: 100_000, seed: 11)
            let staged = try await scene.store.stage(ByteStream(bytes))
            let keys = [
                BlobKey(space: .shared, digest: staged.digest),
                BlobKey(space: .shared, digest: staged.digest, generation: 7),
                BlobKey(space: Space(id: ContainerID()), digest: staged.digest),
            ]
            for key in keys { try await scene.store.publish(staged, as: key) }
            await scene.store.discard(staged)
            for key in keys {
                let read = try await scene.read(key)
                #expect(read == bytes)
            }
        },
        clause("Bytes of another size under a key that is there are refused and change nothing: no repair in place.") {
            scene in
            let bytes = ByteBuffer.random(count: 1_000, seed: 12)
            let key = try await scene.save(bytes)
            for count in [0, 999, 1_001, 200_000] {
                let staged = try await scene.store.stage(.random(count: Int64(count), seed: 13))
                await expect(.blobMismatch) { try await scene.store.publish(staged, as: key) }
                await scene.store.discard(staged)
            }
            let (read, keys) = (try await scene.read(key), try await scene.keys())
            #expect(read == bytes)
            #expect(keys == [key])
        },
        clause("20 simultaneous publishes of one content leave it whole, and all succeed.") { scene in
            let bytes = ByteBuffer.random(count: 200_000, seed: 14)
            let keys = try await simultaneously(20) { _ in try await scene.save(bytes) }
            let (read, listed) = (try await scene.read(keys[0]), try await scene.keys())
            #expect(read == bytes)
            #expect(Set(keys) == Set(listed))
            #expect(listed.count == 1)
        },
        clause("20 simultaneous uploads of different contents are all stored, each as itself.") { scene in
            _ = try await simultaneously(20) { index in
                try await scene.save(.random(count: 50_000 + index, seed: UInt64(index)))
            }
            for index in 0..<20 {
                let bytes = ByteBuffer.random(count: 50_000 + index, seed: UInt64(index))
                let read = try await scene.read(scene.key(of: bytes))
                #expect(read == bytes)
            }
        },
    ]
}
