import NIOCore
import StorageCore
import Testing

extension BlobStoreConformance {
    /// Opening blobs and parts of them.
    static let reading: [Clause] = [
        clause("What was never stored is not there: nil, not an error.") { scene in
            let digest = BlobDigest.random()
            for key in [
                BlobKey(space: .shared, digest: digest), BlobKey(space: .shared, digest: digest, generation: .max),
                BlobKey(space: Space(id: ContainerID()), digest: digest),
            ] {
                let (content, part) = (
                    try await scene.store.open(key, range: nil), try await scene.store.open(key, range: 0..<1)
                )
                let info = try await scene.store.info(for: key)
                #expect(content == nil)
                #expect(part == nil)
                #expect(info == nil)
            }
        },
        clause("Space and generation are part of a name; else one container reads another's bytes.") { scene in
            let bytes = ByteBuffer.random(count: 100, seed: 20)
            let space = Space(id: ContainerID())
            try await scene.save(bytes, in: space, generation: 5)
            for (other, generation) in [
                (Space.shared, Int64(5)), (space, 0), (space, 6), (Space(id: ContainerID()), 5),
            ] {
                let info = try await scene.store.info(for: scene.key(of: bytes, in: other, generation: generation))
                #expect(info == nil)
            }
        },
        clause("A part of a small blob has its bytes; one beyond the end is cut to the blob.") { scene in
            try await checkParts(of: 1_000, in: scene)
        },
        clause("A part of a large blob has its bytes; one beyond the end is cut to the blob.") { scene in
            try await checkParts(of: 3 << 20, in: scene)
        },
        clause("A part of an empty blob is empty.") { scene in
            try await checkParts(of: 0, in: scene)
        },
        clause("Neighbouring parts together are the whole; else a resumed download has a seam.") { scene in
            let bytes = ByteBuffer.random(count: 2_500_000, seed: 21)
            let key = try await scene.save(bytes)
            var whole = ByteBuffer()
            for start in stride(from: Int64(0), to: 2_500_000, by: 333_333) {
                var part = try await scene.read(key, range: start..<(start + 333_333)).required()
                whole.writeBuffer(&part)
            }
            #expect(whole == bytes)
        },
        clause("What is remembered has the digest of its key, and is forgotten with it.") { scene in
            for size in [0, 1, 1_000, 70_000] {
                let bytes = ByteBuffer.random(count: size, seed: UInt64(30 + size))
                let key = try await scene.save(bytes)
                let other = BlobKey(space: Space(id: ContainerID()), digest: key.digest)
                for _ in 0..<2 {
                    let remembered = scene.store.recall(key)
                    #expect(remembered == nil || remembered == bytes)
                    #expect(scene.store.recall(other) == nil)
                    let (whole, part) = (try await scene.read(key), try await scene.read(key, range: 0..<10))
                    #expect(whole == bytes)
                    #expect(part == bytes.getSlice(at: 0, length: min(10, size)))
                }
                try await scene.store.remove(key)
                #expect(scene.store.recall(key) == nil)
            }
        },
        clause("A blob may be opened by many at once, and every one reads it whole.") { scene in
            let bytes = ByteBuffer.random(count: 1_500_000, seed: 22)
            let key = try await scene.save(bytes)
            let reads = try await simultaneously(20) { _ in try await scene.read(key) }
            #expect(reads.allSatisfy { $0 == bytes })
        },
    ]

    private static func checkParts(of size: Int64, in scene: BlobScene) async throws {
        let bytes = ByteBuffer.random(count: Int(size), seed: 24)
        let key = try await scene.save(bytes)
        let parts: [ByteRange] = [
            0..<size, 0..<0, 0..<1, 1..<2, 0..<(size + 1), 0..<Int64.max, size..<size, size..<(size + 1),
            (size + 1)..<(size + 2), size..<Int64.max, (size / 2)..<(size / 2), (size / 2)..<(size / 2 + 1),
            (size / 3)..<(size / 3 + 300), max(0, size - 1)..<size, max(0, size - 1)..<(size + 100),
            min(1, size)..<max(1, size - 1),
        ]
        for part in parts {
            let content = try await scene.store.open(key, range: part).required()
            let read = try await scene.bytes(of: content)
            let (start, end) = (min(part.lowerBound, size), min(part.upperBound, size))
            #expect(content.size == size)
            #expect(read == bytes.getSlice(at: Int(start), length: Int(end - start)), "\(part)")
            #expect(content.range.upperBound - content.range.lowerBound == end - start, "\(part)")
            #expect(start == end || content.range == start..<end, "\(part)")
        }
    }

    /// Contents that were opened before their key was removed.
    static let outliving: [Clause] = [
        clause("An opened blob stays readable after it was removed; else a download breaks off at a collection.") {
            scene in
            for size in [1_000, 3 << 20] {
                let bytes = ByteBuffer.random(count: size, seed: 25)
                let key = try await scene.save(bytes)
                let content = try await scene.store.open(key, range: nil).required()
                try await scene.store.remove(key)
                let read = try await scene.bytes(of: content)
                #expect(read == bytes)
            }
        }
    ]

    /// What keeps the memory of large downloads bounded.
    static let streaming: [Clause] = [
        clause("A large blob comes as a stream of bounded chunks; else it passes through memory whole.") { scene in
            let key = try await scene.save(.random(count: 9 << 20, seed: 23))
            let content = try await scene.store.open(key, range: nil).required()
            switch content.body {
            case .bytes(let bytes):
                Issue.record("\(bytes.readableBytes) bytes came at once.")
            case .stream(let stream), .file(_, let stream):
                #expect(stream.length == 9 << 20)
                for try await chunk in stream { #expect(chunk.readableBytes <= 4 << 20) }
            }
        }
    ]
}
